import ArgumentParser
import Jobs
import Models

/// `--scale`: how a picture of samples is laid out.
struct GridOptions: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init(
            "Enlarge the samples in the picture so many times (default: to about 96 pixels; a large one stays as it is).",
            valueName: "n"))
    var scale: Int?

    func validate() throws { try checkingUsage { try style(of: "sample").validate() } }

    /// - Parameters:
    ///   - command: the subcommand that makes such pictures.
    ///   - isLabelled: whether each class has a column.
    func style(of command: String, isLabelled: Bool = false) -> GridStyle {
        var style = GridStyle()
        (style.scale, style.isLabelled) = (scale, isLabelled)
        var words: [String] = []
        if let scale { words += ["--scale", "\(scale)"] }
        if isLabelled { words.append("--labels") }
        style.command = { [words] recipe, count in
            ShellCommand.text(of: ["diffspec", command] + recipe.options(count: count) + words)
        }
        return style
    }
}

extension SamplingRecipe {
    /// The options of `sample` and `compare` that make these samples anew. What is at its default is left out, and so is what
    /// changes no sample: however they were made, the words are the same.
    func options(count: Int) -> [String] {
        let usual = SamplingRecipe()
        var words: [String] = []
        func add<Value: Equatable>(_ name: String, _ value: Value, _ usual: Value, _ text: String) {
            if value != usual { words += ["--\(name)", text] }
        }
        func add(_ name: String, if isOn: Bool) { if isOn { words.append("--\(name)") } }
        add("model", model.name, usual.model.name, model.name)
        add("precision", model.precision ?? .f32, .f32, model.precision?.rawValue ?? "")
        add("schedule", model.schedule, nil, model.schedule?.rawValue ?? "")
        add("chain", chain.kind, usual.chain.kind, chain.kind.rawValue)
        if let times = chain.times {
            words += ["--times", times.file]
        } else {
            add("steps", chain.steps, usual.chain.steps, "\(chain.steps)")
        }
        add("churn", chain.churn, usual.chain.churn, "\(chain.churn)")
        add("eta", chain.eta, usual.chain.eta, "\(chain.eta)")
        add("spacing", chain.spacing, nil, chain.spacing?.rawValue ?? "")
        add("rho", chain.rho, nil, chain.rho.map { "\($0)" } ?? "")
        add("denoise-last-step", if: chain.denoisesLastStep)
        if let prompts = model.prompts {
            for text in prompts.texts { words += ["--prompt", text] }
            add("negative-prompt", prompts.negative, nil, prompts.negative ?? "")
            words += ["--guidance", "\(chain.guidance + 1)"]
        } else {
            add("guidance", chain.guidance, usual.chain.guidance, "\(chain.guidance)")
        }
        if let start {
            words += ["--init", start.picture, "--strength", "\(start.strength)"]
            add("mask", start.mask, nil, start.mask ?? "")
        }
        for name in classes { words += ["--class", name] }
        add("draft", speculation.draft, usual.speculation.draft, speculation.draft.name)
        if speculation.draft != .none {
            add("window", speculation.window, usual.speculation.window, speculation.window.name)
            add("draft-model", speculation.draftModel, nil, speculation.draftModel ?? "")
            add("rule", speculation.rule, usual.speculation.rule, speculation.rule.name)
            add("no-fallback", if: !speculation.fallsBack)
        }
        add("count", count, SampleRequest(self).count, "\(count)")
        add("seed", seed, usual.seed, "\(seed)")
        return words
    }
}
