import Reports

/// Where finished samples come from beside a process's own.
protocol SampleSource {
    /// How many samples will have come in the end.
    var expectedCount: Int { get }
    /// Those that came since it was last asked.
    func arrived() throws -> [FinishedSample]
    /// Whether nothing more will come.
    var isComplete: Bool { get }
    /// The network calls they took; known once all is complete.
    var calls: Int { get }
}

struct NoOtherProcesses: SampleSource {
    var expectedCount: Int { 0 }
    func arrived() -> [FinishedSample] { [] }
    var isComplete: Bool { true }
    var calls: Int { 0 }
}
