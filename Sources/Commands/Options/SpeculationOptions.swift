import ArgumentParser
import Models

/// What is drafted, how far ahead, and how it is verified.
struct SpeculationOptions: ParsableArguments {
    @Option(parsing: .unconditional, help: WindowRecipe.help, transform: WindowRecipe.init)
    var window = WindowRecipe.fixed(20)

    @OptionGroup var drafting: DraftOptions

    @Option(
        parsing: .unconditional,
        help: .init("Temperature τ of the acceptance; anything but 1 is no longer exact.", valueName: "τ"))
    var temperature = 1.0

    @Option(help: RuleRecipe.help, transform: RuleRecipe.init)
    var rule: RuleRecipe?

    @OptionGroup var fallback: FallbackOption

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

    var recipe: SpeculationRecipe {
        var recipe = SpeculationRecipe(draft: drafting.draft, window: window)
        recipe.draftModel = drafting.draftModel
        recipe.rule = rule ?? (temperature == 1 ? .reflection : .temperature(temperature))
        recipe.fallsBack = fallback.fallsBack
        return recipe
    }
}

/// `--draft` and the network that some drafts have.
struct DraftOptions: ParsableArguments {
    @Option(help: DraftRecipe.help)
    var draft = DraftRecipe.recycled

    @OptionGroup var network: DraftModelOption

    var draftModel: String? { network.draftModel }
}

/// `--draft-model`
struct DraftModelOption: ParsableArguments {
    @Option(
        help: .init(
            """
            The smaller network of the drafts that have one (default: the model's own name with -draft, for independent \
            and assisted, or -correction, for corrected).
            """, valueName: "dir|name"))
    var draftModel: String?
}

/// `--no-fallback`: one rule for all commands.
struct FallbackOption: ParsableArguments {
    @Flag(help: "Go on drafting where almost every draft is rejected, in place of falling back to plain steps.")
    var noFallback = false

    var fallsBack: Bool { !noFallback }
}

extension DraftRecipe: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }

    public static var allValueStrings: [String] { names }

    static let help = ArgumentHelp(
        """
        What proposes the window. recycled: everything old windows computed, to first order (the best without another \
        network); recycled-zeroth: without slopes; broyden:M: with a matrix for slope, learnt from the newest M changes of \
        answers; assisted: recycled, carried along by a smaller network \
        (--draft-model); corrected: recycled, and corrected by a network trained for it; frozen-denoiser: the last answer, \
        frozen; frozen: the published draft, which freezes all of the drift, also as frozen-fresh and frozen-previous; \
        independent: the smaller network alone, or another cheap model of the same data; hessian: of an energy, old \
        gradients carried along by its second derivatives; picard:M: recycled, \
        refined by M more calls a window; picard-deterministic:M: the published form of it, whose iterates have no noise; \
        mixture:frozen=0.3,recycled=0.7: of their means; mixture:learnt: with the weights that diffspec calibrate mixture \
        stored; none: plain sampling.
        """, valueName: "name")
}

extension WindowRecipe {
    static let help = ArgumentHelp(
        """
        Window L: how many states are drafted and scored per call; or adaptive, chosen from what each sample has decided \
        so far, for processors that take a window's rows at once; or auto, likewise, for least time on this machine by \
        calls timed at the start (which samples come out then depends on those times; their law does not).
        """, valueName: "L|adaptive|auto")
}

extension RuleRecipe {
    static let help = ArgumentHelp(
        """
        How a drafted step is verified: reflection (exact, Algorithm 4), monotone (exact: accepts as often, and \
        moves rejected drafts less), rejection (exact, Algorithm 2, which draws again and again), temperature:τ (Algorithm 7), typical:κ,δ (typical acceptance; κ may be inf), projection:pool:F \
        (Algorithm 9, what average pooling over F×F pixels sees), projection:FILE (Algorithm 9, a matrix [rows, values of \
        a sample] in safetensors), autoencoder:DIR (Algorithm 10, a UNet2DModel that returns its input's reconstruction \
        at timestep 0). The others are not exact (default: reflection, at --temperature).
        """, valueName: "rule")
}
