import Models

/// Who watches a run: is told how far it is, and may end it.
public protocol RunMonitor: Sendable {
    /// A piece of work begins.
    /// - Parameters:
    ///   - title: what it is, in a word.
    ///   - total: how much it is, in any unit; 0 where nobody knows.
    func begin(_ title: String, total: Double)
    /// - Parameters:
    ///   - done: of the work that began last.
    ///   - detail: what to say beside it, given the seconds passed.
    func update(done: Double, _ detail: (_ seconds: Double) -> String)
    /// The piece of work is over, well or not.
    func end()
    /// What the user should know.
    func warn(_ text: String)
    /// A place between two network calls at which the run may be ended.
    /// - Throws: to end it.
    func check() throws
}

extension RunMonitor {
    /// Says what of a model's files is not followed as another program might.
    func tell(_ notes: [String]) { for note in notes { warn(note) } }
}

extension ModelRecipe {
    /// Loads the model, and says what of its files is not followed.
    func load(telling monitor: any RunMonitor) throws -> ImageModel {
        let model = try load()
        monitor.tell(model.notes)
        return model
    }
}

/// Nobody.
public struct NoMonitor: RunMonitor {
    public init() {}
    public func begin(_ title: String, total: Double) {}
    public func update(done: Double, _ detail: (Double) -> String) {}
    public func end() {}
    public func warn(_ text: String) {}
    public func check() {}
}

/// Thrown by a monitor once a signal has come, so that open files are cleared away on the way out.
public struct Interrupted: Error, CustomStringConvertible {
    /// Its number, and what people call it.
    public let signal: Int32
    public let name: String
    /// What became of the work.
    public var outcome = "no file was left half-written"

    public init(signal: Int32, name: String) { (self.signal, self.name) = (signal, name) }

    public var description: String { "stopped by \(name); \(outcome)" }
    /// By the shell's convention.
    public var status: Int32 { 128 + signal }

    func adding(_ outcome: String) -> Interrupted {
        var interrupted = self
        interrupted.outcome = outcome
        return interrupted
    }
}
