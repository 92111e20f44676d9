import ArgumentParser
import Diffusion
import Foundation
import Models

extension NamedSchedule: ExpressibleByArgument {}
extension TimeGrid.Spacing: ExpressibleByArgument {}

/// Which chain a diffusion model is run as.
enum ChainKind: String, CaseIterable, ExpressibleByArgument {
    case sde, ddpm
}

/// Everything that defines the target's law.
struct ModelOptions: ParsableArguments {
    @Option(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model = BundledModels.defaultModel

    @Option(parsing: .unconditional, help: .init("Number of steps K of the chain.", valueName: "K"))
    var steps = 100

    @Option(
        parsing: .unconditional,
        help: .init("Churn ε ≥ 0: how much noise each step adds; 0 is the ODE, 1 the full reverse SDE.", valueName: "ε")
    )
    var churn = 0.25

    @Option(
        name: .customLong("class"), parsing: .unconditionalSingleValue,
        help: .init("Class, as a label or a name (repeatable; default: cycle through all).", valueName: "class"))
    var classes: [String] = []

    @Option(
        parsing: .unconditional,
        help: .init("Class-free guidance δ: (1+δ) v(y, c) - δ v(y, ∅), both in the same call.", valueName: "δ"))
    var guidance = 0.0

    @Option(help: "Noise schedule in place of the model's own.")
    var schedule: NamedSchedule?

    @Option(help: "Time grid of the SDE.")
    var spacing = TimeGrid.Spacing.uniform

    @Option(
        help:
            "The discretised reverse SDE, or DDPM ancestral sampling by the model's own scheduler (which ignores churn and spacing)."
    )
    var chain = ChainKind.sde

    @Flag(help: "Make the last step of the SDE return the denoised image, without noise.")
    var denoiseLastStep = false

    func validate() throws {
        guard steps >= 1 else { throw ValidationError("--steps must be at least 1, found \(steps).") }
        guard steps <= 1_000_000 else { throw ValidationError("--steps must be at most 1000000, found \(steps).") }
        guard churn >= 0, churn.isFinite else {
            throw ValidationError("--churn must be a finite number of at least 0, found \(churn).")
        }
        if denoiseLastStep, chain == .ddpm {
            throw ValidationError(
                "--denoise-last-step belongs to --chain sde; the last step of --chain ddpm has no noise anyway.")
        }
        guard guidance.isFinite else { throw ValidationError("--guidance must be a finite number, found \(guidance).") }
    }

    func load() throws -> PretrainedModel {
        try PretrainedModel(folder: BundledModels.folder(model), schedule: schedule)
    }

    /// The labels to cycle through.
    func labels(of model: PretrainedModel) throws -> [Int?] {
        if classes.isEmpty { return (0..<model.classCount).map { $0 } }
        return try classes.map { text in
            let names = model.process.classNames
            let label = names.firstIndex { $0.lowercased() == text.lowercased() } ?? Int(text)
            guard let label, (0..<model.classCount).contains(label) else {
                let known =
                    model.classCount == 0
                    ? "this model has no classes"
                    : "classes are 0 to \(model.classCount - 1)"
                        + (names.isEmpty ? "" : " or \(names.joined(separator: ", "))")
                throw ValidationError("--class \(text): \(known).")
            }
            return label
        }
    }

    /// The chain that the options describe, over the given model.
    /// - Parameter denoiser: in place of the model's own, one with the same results.
    func chain(over model: PretrainedModel, threads: Int, denoiser: (any Denoiser)? = nil) throws -> DenoisingChain {
        let process = model.process
        if guidance != 0, process.nullClass == nil {
            throw ValidationError("--guidance needs a model trained with a \"no class\" label, and this one has none.")
        }
        let steps: [DenoisingStep]
        var bounds: ClosedRange<Double>?
        switch chain {
        case .sde:
            let schedule = process.schedule
            let grid = try TimeGrid(spacing, steps: self.steps, schedule: schedule)
            steps = try ReverseDiffusion.steps(
                schedule: schedule, grid: grid, churn: churn, denoisingLastStep: denoiseLastStep)
        case .ddpm:
            guard let ancestral = try process.noise.ancestralSteps(self.steps) else {
                throw ValidationError(
                    schedule == nil
                        ? "--chain ddpm needs a model with a scheduler_config.json that has betas."
                        : "--chain ddpm takes the model's own betas; leave --schedule away.")
            }
            (steps, bounds) = ancestral
        }
        return try DenoisingChain(
            denoiser: denoiser ?? model.denoiser(threads: threads), steps: steps, conditions: labels(of: model),
            guidance: guidance, unconditional: process.nullClass, predictionBounds: bounds,
            priors: model.priors)
    }
}
