import Models
import NeuralNetwork

/// A line of `diffspec policy`'s input: one observation, or several to be planned for side by side.
struct PolicyRequest {
    /// Each flattened, oldest state first.
    let observations: [[Double]]
    /// One for each observation.
    let seeds: [Int]
    let isBatch: Bool
    /// What the client calls the request, to be sent back.
    let id: JSON?

    /// JSON's integers are read as signed ones.
    static let largestSeed = Int.max
    /// Bounds the memory of a request.
    static let largestBatch = 4096

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
    init(line: [UInt8], for model: PolicyModel, nextSeed: inout Int) throws {
        let json: JSON
        do { json = try JSON(parsing: line) } catch { throw Refusal("the line is \(error)") }
        guard case .object = json else {
            throw Refusal("expected an object such as {\"observation\": [[…], …], \"seed\": 0}")
        }
        let id = json["id"]
        self.id = id
        func refusal(_ message: String) -> Refusal { Refusal(message, id: id) }

        let shape = "[\(model.observationSteps)][\(model.observationDimension)]"
        guard let observation = json["observation"] else {
            throw refusal("\"observation\" is missing; expected numbers \(shape)")
        }
        func isList(_ value: JSON?) -> Bool { if case .array = value { true } else { false } }
        guard let items = observation.array, let first = items.first else {
            throw refusal("\"observation\" must be a list \(shape) of numbers, or a list of such lists")
        }
        let isBatch = isList(first.array?.first)
        guard items.count <= Self.largestBatch || !isBatch else {
            throw refusal(
                "\"observation\" holds \(items.count) observations; at most \(Self.largestBatch) are planned at once")
        }
        let observations = try (isBatch ? items : [observation]).enumerated().map { index, value in
            let name = isBatch ? "observation \(index)" : "\"observation\""
            guard let states = value.array, states.count == model.observationSteps else {
                throw refusal(
                    "\(name) must hold \(model.observationSteps) states, found \(value.array.map { "\($0.count)" } ?? "no list")"
                )
            }
            return try states.flatMap { state in
                guard let numbers = state.array, numbers.count == model.observationDimension else {
                    throw refusal(
                        "\(name) must hold states of \(model.observationDimension) numbers, found \(state.array.map { "\($0.count)" } ?? "no list")"
                    )
                }
                return try numbers.map { number in
                    guard let number = number.double, number.isFinite else {
                        let found = String(number.description.prefix(40))
                        throw refusal("\(name) must hold finite numbers, found \(found)")
                    }
                    return number
                }
            }
        }
        self.observations = observations
        self.isBatch = isBatch
        seeds = try Self.seeds(json["seed"], count: observations.count, isBatch: isBatch, nextSeed: &nextSeed, refusal)
    }

    private static func seeds(
        _ value: JSON?, count: Int, isBatch: Bool, nextSeed: inout Int, _ refusal: (String) -> Refusal
    ) throws -> [Int] {
        guard let value, value != .null else {
            return (0..<count).map { _ in
                defer { nextSeed = nextSeed == largestSeed ? 0 : nextSeed + 1 }
                return nextSeed
            }
        }
        func seed(_ value: JSON) throws -> Int {
            guard let seed = value.int, seed >= 0 else {
                throw refusal(
                    "a seed must be an integer from 0 to \(largestSeed), found \(String(value.description.prefix(40)))")
            }
            return seed
        }
        guard isBatch, let list = value.array else { return [Int](repeating: try seed(value), count: count) }
        guard list.count == count else { throw refusal("\(list.count) seeds for \(count) observations") }
        return try list.map(seed)
    }
}
