import Diffusion

/// A diffusers scheduler by the name of its class: what noise its networks know, and what its constructor takes for keys that
/// a file leaves out. A class that is not known here is refused, for its noise could be any.
struct SchedulerClass: Sendable {
    /// What gives the noise.
    enum Noise: Sendable {
        /// A family of betas, from the first to the last.
        case betas(BetaSchedule.Family, first: Double, last: Double)
        /// The rates of a variance-preserving SDE (Song et al. 2021), spread over the training steps.
        case rates(minimal: Double, maximal: Double)
        /// Rectified flow, which goes by the name of its schedule.
        case flow
        /// Noise that explodes, and a network that sees it scaled (Karras et al. 2022).
        case scaled
        /// Noise that explodes, and a network that predicts the score of it (Song et al. 2021).
        case scored
    }

    let name: String
    let noise: Noise
    let trainingSteps: Int
    let spacing: AncestralDDPM.Spacing
    let clipsSample: Bool

    private init(
        _ name: String, _ noise: Noise = .betas(.linear, first: 1e-4, last: 0.02), trainingSteps: Int = 1000,
        spacing: AncestralDDPM.Spacing = .linspace, clipsSample: Bool = true
    ) {
        (self.name, self.noise, self.trainingSteps) = (name, noise, trainingSteps)
        (self.spacing, self.clipsSample) = (spacing, clipsSample)
    }

    /// What files without a class name are read as, if they say their betas.
    static let ancestral = SchedulerClass("DDPMScheduler", spacing: .leading)

    private static let known: [SchedulerClass] = {
        let small = Noise.betas(.linear, first: 0.00085, last: 0.012)
        return [
            ancestral,
            SchedulerClass("DDPMParallelScheduler", spacing: .leading),
            SchedulerClass("DDIMScheduler", spacing: .leading),
            SchedulerClass("DDIMParallelScheduler", spacing: .leading),
            SchedulerClass("DDIMInverseScheduler", spacing: .leading),
            SchedulerClass("RePaintScheduler", spacing: .leading),
            SchedulerClass("PNDMScheduler", spacing: .leading),
            SchedulerClass("DPMSolverMultistepScheduler"),
            SchedulerClass("DPMSolverMultistepInverseScheduler"),
            SchedulerClass("DPMSolverSinglestepScheduler", spacing: .leading),
            SchedulerClass("DPMSolverSDEScheduler", small),
            SchedulerClass("DEISMultistepScheduler"),
            SchedulerClass("UniPCMultistepScheduler"),
            SchedulerClass("SASolverScheduler"),
            SchedulerClass("EulerDiscreteScheduler"),
            SchedulerClass("EulerAncestralDiscreteScheduler"),
            SchedulerClass("LMSDiscreteScheduler"),
            SchedulerClass("HeunDiscreteScheduler", small, clipsSample: false),
            SchedulerClass("KDPM2DiscreteScheduler", small),
            SchedulerClass("KDPM2AncestralDiscreteScheduler", small),
            SchedulerClass("ScoreSdeVpScheduler", .rates(minimal: 0.1, maximal: 20), trainingSteps: 2000),
            SchedulerClass("EDMEulerScheduler", .scaled, clipsSample: false),
            SchedulerClass("EDMDPMSolverMultistepScheduler", .scaled, clipsSample: false),
            SchedulerClass("ScoreSdeVeScheduler", .scored, trainingSteps: 2000, clipsSample: false),
            SchedulerClass("FlowMatchEulerDiscreteScheduler", .flow),
            SchedulerClass("FlowMatchHeunDiscreteScheduler", .flow),
        ]
    }()

    static func named(_ name: String) -> SchedulerClass? { known.first { $0.name == name } }

    /// Why networks of a class that is not known here cannot be sampled, where that can be said.
    static func reasonAgainst(_ name: String) -> String? {
        switch name {
        case "CosineDPMSolverMultistepScheduler", "KarrasVeScheduler":
            "what its networks are told of the noise is not known here; sample it with diffusers"
        case "LCMScheduler", "TCDScheduler", "CMStochasticIterativeScheduler", "FlowMatchLCMScheduler":
            "its networks are consistency models, which jump to the picture at once and define no chain; sample it with diffusers"
        default: nil
        }
    }
}
