import ArgumentParser
import Couplings
import Diffusion

/// `--window`.
enum WindowOption: Sendable, Equatable, Codable, CustomStringConvertible {
    case fixed(Int)
    case adaptive
    case auto

    static let help = ArgumentHelp(
        """
        Window L: how many states are drafted and scored per call; or adaptive, chosen from what each sample has decided \
        so far, for processors that take a window's rows at once; or auto, likewise, for least time on this machine by \
        calls timed at the start (which samples come out then depends on those times; their law does not).
        """, valueName: "L|adaptive|auto")

    /// No chosen window is longer.
    private static let longest = 100
    /// What `adaptive` takes a further row to cost, relative to a call: a window ends where fewer than about one in
    /// fifty of its rows would come to be decided.
    private static let adaptivePrice = 0.02

    init(_ text: String) throws {
        switch text {
        case "adaptive": self = .adaptive
        case "auto": self = .auto
        default:
            guard let length = Int(text) else {
                throw ValidationError("expected a number, adaptive or auto.")
            }
            guard length >= 1 else { throw ValidationError("--window must be at least 1, found \(length).") }
            self = .fixed(length)
        }
    }

    var name: String {
        switch self {
        case .fixed(let length): "\(length)"
        case .adaptive: "adaptive"
        case .auto: "auto"
        }
    }

    var description: String { name }

    /// A number where it is one.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if case .fixed(let length) = self { try container.encode(length) } else { try container.encode(name) }
    }

    /// No window of such a chain is longer.
    func longest(steps: Int) -> Int {
        if case .fixed(let length) = self { min(length, steps) } else { min(Self.longest, steps) }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try (try? container.decode(Int.self)).map(String.init) ?? container.decode(String.self)
        do { try self.init(text) } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no window")
        }
    }

    /// What `auto` goes by; nil for the others.
    /// - Parameter lanes: samples whose rows share a call.
    func callTimes(of chain: DenoisingChain, lanes: Int) throws -> CallTimes? {
        self == .auto ? try CallTimes(of: chain, upTo: (min(Self.longest, chain.stepCount) + 1) * lanes) : nil
    }

    /// - Parameters:
    ///   - lanes: samples whose rows share a call.
    ///   - callTimes: if they were taken before.
    func policy(for chain: DenoisingChain, lanes: Int, callTimes: CallTimes? = nil) throws -> any WindowPolicy {
        let longest = min(Self.longest, chain.stepCount)
        if case .fixed(let length) = self { return try FixedWindow(min(length, chain.stepCount)) }
        let cost = try (callTimes ?? self.callTimes(of: chain, lanes: lanes))?.cost.inLanes(lanes)
        return try AdaptiveWindow(cost: cost ?? .perRow(Self.adaptivePrice), longest: longest)
    }
}

/// How long calls take on this machine, by their rows.
struct CallTimes {
    struct Point: Encodable {
        let rows: Int
        let seconds: Double
    }

    let points: [Point]
    let cost: CallCost

    /// Times calls of 1, 2, 4, … rows, as many as half a second has room for, and all of them again until a second has
    /// passed: the fastest of each counts, and a load that comes and goes doesn't fall on one of them alone.
    init(of chain: DenoisingChain, upTo largest: Int) throws {
        var stream = RandomSource(seed: 0).stream(sample: 0, step: 0, purpose: .auxiliary)
        let state = stream.normals(chain.dimension)
        func time(_ rows: Int) throws -> Double {
            let queries = (0..<rows).map { ChainQuery(sample: $0, step: 0, state: state) }
            let start = ContinuousClock.now
            _ = try chain.predictions(for: queries)
            return max(1e-9, (ContinuousClock.now - start).seconds)
        }
        _ = try time(1)  // the first call allocates what the others use
        let start = ContinuousClock.now
        var times: [(rows: Int, seconds: Double)] = []
        var rows = 1
        while times.count < 2 || rows <= min(largest, 64) && ContinuousClock.now - start < .seconds(0.5) {
            times.append((rows, try time(rows)))
            rows *= 2
        }
        for round in 0..<8 where round == 0 || ContinuousClock.now - start < .seconds(1) {
            for i in times.indices { times[i].seconds = min(times[i].seconds, try time(times[i].rows)) }
        }
        points = times.map { Point(rows: $0.rows, seconds: $0.seconds) }
        cost = try .measured(times)
    }

    /// Predicted seconds of a call.
    func seconds(rows: Int) -> Double { points[0].seconds * cost(rows: rows) }
}
