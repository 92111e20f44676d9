import Diffusion

/// How far ahead is drafted.
public enum WindowRecipe: Sendable, Equatable, Codable, CustomStringConvertible {
    /// The same `L ≥ 1` always.
    case fixed(Int)
    /// Chosen from what each sample has decided so far, for processors that take a window's rows at once.
    case adaptive
    /// Likewise, for least time on this machine by calls that are timed at the start: which samples come out then depends
    /// on those times, their law does not.
    case auto

    /// No chosen window is longer.
    private static let longest = 100
    /// What `adaptive` takes a further row to cost, relative to a call: a window ends where fewer than about one in
    /// fifty of its rows would come to be decided.
    private static let adaptivePrice = 0.02

    /// - Throws: `RecipeError` for what is neither a length of at least 1 nor a name.
    public init(_ text: String) throws {
        switch text {
        case "adaptive": self = .adaptive
        case "auto": self = .auto
        default:
            guard let length = Int(text) else {
                throw RecipeError("window", "must be a number, adaptive or auto, found \"\(text)\".")
            }
            guard length >= 1 else { throw RecipeError("window", "must be at least 1, found \(length).") }
            self = .fixed(length)
        }
    }

    public var name: String {
        switch self {
        case .fixed(let length): "\(length)"
        case .adaptive: "adaptive"
        case .auto: "auto"
        }
    }

    public var description: String { name }

    /// A number where it is one.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if case .fixed(let length) = self { try container.encode(length) } else { try container.encode(name) }
    }

    /// No window of such a chain is longer.
    public func longest(steps: Int) -> Int {
        if case .fixed(let length) = self { min(length, steps) } else { min(Self.longest, steps) }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try (try? container.decode(Int.self)).map(String.init) ?? container.decode(String.self)
        do { try self.init(text) } catch {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is no window")
        }
    }

    /// What `auto` goes by; nil for the others.
    /// - Parameters:
    ///   - chain: the target.
    ///   - lanes: samples whose rows share a call.
    public func callTimes(of chain: some GaussianChain, lanes: Int) throws -> CallTimes? {
        self == .auto ? try CallTimes(of: chain, upTo: (min(Self.longest, chain.stepCount) + 1) * lanes) : nil
    }

    /// - Parameters:
    ///   - chain: the target.
    ///   - lanes: samples whose rows share a call.
    ///   - callTimes: if they were taken before.
    public func policy(
        for chain: some GaussianChain, lanes: Int, callTimes: CallTimes? = nil
    ) throws -> any WindowPolicy {
        let longest = min(Self.longest, chain.stepCount)
        if case .fixed(let length) = self { return try FixedWindow(min(length, chain.stepCount)) }
        let cost = try (callTimes ?? self.callTimes(of: chain, lanes: lanes))?.cost.inLanes(lanes)
        return try AdaptiveWindow(cost: cost ?? .perRow(Self.adaptivePrice), longest: longest)
    }
}
