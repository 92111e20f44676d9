import ArgumentParser
import Couplings
import Diffusion

/// What is drafted, how far ahead, and how it is verified.
struct SpeculationOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: WindowOption.help, transform: WindowOption.init)
    var window = WindowOption.fixed(20)

    @Option(help: DraftOption.help)
    var draft = DraftOption.recycled

    @Option(
        parsing: .unconditional,
        help: .init("Temperature τ of the acceptance; anything but 1 is no longer exact.", valueName: "τ"))
    var temperature = 1.0

    @Option(help: RuleOption.help, transform: RuleOption.init)
    var rule: RuleOption?

    @Flag(help: "Go on drafting where almost every draft is rejected, in place of falling back to plain steps.")
    var noFallback = false

    func validate() throws {
        if let rule, temperature != 1 {
            throw ValidationError(
                "--temperature is short for --rule temperature:τ; give only one of them, found \(temperature) and \(rule.name)."
            )
        }
        guard temperature > 0, temperature.isFinite else {
            throw ValidationError("--temperature must be a positive finite number, found \(temperature).")
        }
    }

    /// The rule, as --rule or its short form --temperature says it.
    var effectiveRule: RuleOption { rule ?? (temperature == 1 ? .reflection : .temperature(temperature)) }

    /// - Parameters:
    ///   - lanes: samples whose rows share a call.
    ///   - callTimes: if they were taken before.
    func windowPolicy(for chain: DenoisingChain, lanes: Int, callTimes: CallTimes? = nil) throws -> any WindowPolicy {
        let window = try window.policy(for: chain, lanes: lanes, callTimes: callTimes)
        return noFallback ? window : FallbackWindow(window)
    }
}
