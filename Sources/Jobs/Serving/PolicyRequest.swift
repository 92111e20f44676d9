import Models
import NeuralNetwork

/// A line that a robot sends: one observation, or several to be planned for side by side.
struct PolicyRequest {
    let observations: [PolicyObservation]
    /// One for each observation.
    let seeds: [Int]
    let isBatch: Bool
    /// What the client calls the request, to be sent back.
    let id: JSON?
    /// Of each observation, whose plans follow each other; nil for a plan by itself.
    let sessions: [Session?]

    /// Plans of one robot, each of which starts from what is left of the one before.
    struct Session {
        let name: String
        /// How many of the last plan's actions have been taken.
        let executed: Int
    }

    /// JSON's integers are read as signed ones.
    static let largestSeed = Int.max
    /// Bounds the memory of a request.
    static let largestBatch = 4096
    private static let longestSessionName = 256

    /// Why a line is not answered with a plan.
    struct Refusal: Error {
        let message: String
        let id: JSON?

        init(_ message: String, id: JSON? = nil) {
            self.message = message
            self.id = id
        }

        var answer: JSON { .object([.init("error", .string(message))] + (id.map { [.init("id", $0)] } ?? [])) }
    }

    /// - Parameter nextSeed: taken, and counted on, where the request has no seed.
    /// - Throws: `Refusal`, saying what is wrong with the line.
    init(line: [UInt8], for model: PolicyModel, nextSeed: inout Int) throws(Refusal) {
        let json: JSON
        do { json = try JSON(parsing: line) } catch { throw Refusal("the line is \(error)") }
        guard case .object = json else {
            throw Refusal("expected an object such as {\"observation\": [[…], …], \"seed\": 0}")
        }
        let id = json["id"]
        self.id = id
        func refusal(_ message: String) -> Refusal { Refusal(message, id: id) }

        let reader = ObservationReader(model: model)
        guard let observation = json["observation"] else {
            throw refusal("\"observation\" is missing; expected \(reader.expected)")
        }
        isBatch = reader.isBatch(observation)
        let items = isBatch ? observation.array ?? [] : [observation]
        guard items.count <= Self.largestBatch else {
            throw refusal(
                "\"observation\" holds \(items.count) observations; at most \(Self.largestBatch) are planned at once")
        }
        var observations: [PolicyObservation] = []
        for (index, item) in items.enumerated() {
            let name = isBatch ? "observation \(index)" : "\"observation\""
            do { observations.append(try reader.observation(item, name: name)) } catch { throw refusal(error.message) }
        }
        self.observations = observations
        do {
            sessions = try Self.sessions(json, count: observations.count, isBatch: isBatch, model: model)
            seeds = try Self.seeds(json["seed"], count: observations.count, isBatch: isBatch, nextSeed: &nextSeed)
        } catch { throw refusal(error.message) }
    }

    private static func sessions(
        _ json: JSON, count: Int, isBatch: Bool, model: PolicyModel
    ) throws(Refusal) -> [Session?] {
        let names = try each(json["session"], count: count, isBatch: isBatch, "sessions")
        let executed = try each(json["executed"], count: count, isBatch: isBatch, "numbers of \"executed\" actions")
        var sessions: [Session?] = []
        for (name, executed) in zip(names, executed) {
            sessions.append(try session(name, executed: executed, model: model))
        }
        let given = sessions.compactMap(\.?.name)
        guard Set(given).count == given.count else {
            throw Refusal("two observations of one session can't be planned side by side")
        }
        return sessions
    }

    private static func session(_ value: JSON, executed: JSON, model: PolicyModel) throws(Refusal) -> Session? {
        guard value != .null else { return nil }
        guard let name = value.string ?? value.int.map(String.init), name.utf8.count <= longestSessionName else {
            throw Refusal("a \"session\" must be a name of at most \(longestSessionName) bytes, or an integer")
        }
        guard executed != .null else { return Session(name: name, executed: model.chunk.count) }
        guard let count = executed.int, (0...model.horizon).contains(count) else {
            throw Refusal(
                "\"executed\" must be an integer from 0 to \(model.horizon), the actions taken of the last plan")
        }
        return Session(name: name, executed: count)
    }

    /// The values of each observation: of a batch a list, or one for all.
    private static func each(
        _ value: JSON?, count: Int, isBatch: Bool, _ things: String
    ) throws(Refusal) -> [JSON] {
        guard isBatch, let list = value?.array else { return [JSON](repeating: value ?? .null, count: count) }
        guard list.count == count else { throw Refusal("\(list.count) \(things) for \(count) observations") }
        return list
    }

    private static func seeds(
        _ value: JSON?, count: Int, isBatch: Bool, nextSeed: inout Int
    ) throws(Refusal) -> [Int] {
        guard let value, value != .null else {
            return (0..<count).map { _ in
                defer { nextSeed = nextSeed == largestSeed ? 0 : nextSeed + 1 }
                return nextSeed
            }
        }
        func seed(_ value: JSON) throws(Refusal) -> Int {
            guard let seed = value.int, seed >= 0 else {
                throw Refusal(
                    "a seed must be an integer from 0 to \(largestSeed), found \(String(value.description.prefix(40)))")
            }
            return seed
        }
        var seeds: [Int] = []
        for item in try each(value, count: count, isBatch: isBatch, "seeds") { seeds.append(try seed(item)) }
        return seeds
    }
}

/// Reads observations out of requests: lists of states of a policy that observes but one thing, or else an object of
/// features by name.
private struct ObservationReader {
    let model: PolicyModel

    private var features: [PolicyFeature] { model.observer.features }
    private var steps: Int { model.observer.steps }
    private var names: String { features.map(\.name).joined(separator: ", ") }
    /// Whether an observation is a list of states.
    private var isList: Bool { features.count == 1 && features[0].name == PolicyModel.observationName }

    /// What an observation looks like.
    var expected: String {
        if isList { return "numbers [\(steps)][\(features[0].count)]" }
        return "an object with \(steps) steps of each of \(names)"
    }

    func isBatch(_ value: JSON) -> Bool {
        guard let first = value.array?.first else { return false }
        guard isList else { return true }
        if case .array = first.array?.first { return true }
        return false
    }

    func observation(_ value: JSON, name: String) throws(PolicyRequest.Refusal) -> PolicyObservation {
        if isList { return PolicyObservation(try numbers(value, count: features[0].count, name: name)) }
        guard case .object(let members) = value else {
            throw PolicyRequest.Refusal("\(name) must be \(expected)")
        }
        var values: [String: PolicyObservation.Values] = [:]
        for member in members {
            let key = model.renamedObservations[member.key] ?? member.key
            guard let feature = features.first(where: { $0.name == key }) else {
                throw PolicyRequest.Refusal(
                    "\(name) has \"\(String(member.key.prefix(40)))\"; expected \(names)")
            }
            let part = "\(name), \(key),"
            switch feature.kind {
            case .numbers(let count): values[key] = .numbers(try numbers(member.value, count: count, name: part))
            case .picture(let height, let width):
                values[key] = .pictures(
                    try pictures(member.value, RequestPicture(height: height, width: width), name: part))
            }
        }
        if let missing = features.first(where: { values[$0.name] == nil }) {
            throw PolicyRequest.Refusal("\(name) lacks \(missing.name); expected \(expected)")
        }
        return PolicyObservation(values)
    }

    private func stepValues(
        _ value: JSON, _ things: String, name: String
    ) throws(PolicyRequest.Refusal) -> [JSON] {
        guard let values = value.array, values.count == steps else {
            throw PolicyRequest.Refusal(
                "\(name) must hold \(steps) \(things), found \(value.array.map { "\($0.count)" } ?? "no list")")
        }
        return values
    }

    private func numbers(_ value: JSON, count: Int, name: String) throws(PolicyRequest.Refusal) -> [Double] {
        var result: [Double] = []
        for state in try stepValues(value, "states", name: name) {
            guard let numbers = state.array, numbers.count == count else {
                throw PolicyRequest.Refusal(
                    "\(name) must hold states of \(count) numbers, found \(state.array.map { "\($0.count)" } ?? "no list")"
                )
            }
            for number in numbers {
                guard let value = number.double, value.isFinite else {
                    throw PolicyRequest.Refusal(
                        "\(name) must hold finite numbers, found \(String(number.description.prefix(40)))")
                }
                result.append(value)
            }
        }
        return result
    }

    private func pictures(
        _ value: JSON, _ picture: RequestPicture, name: String
    ) throws(PolicyRequest.Refusal) -> [Float] {
        var result: [Float] = []
        for item in try stepValues(value, "pictures", name: name) {
            do { result += try picture.values(item) } catch { throw PolicyRequest.Refusal("\(name) \(error.reason)") }
        }
        return result
    }
}
