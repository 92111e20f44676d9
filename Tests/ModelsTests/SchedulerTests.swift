import Diffusion
import Foundation
import Testing

@testable import Models

/// What a model folder's scheduler_config.json means, or why it is refused.
@Suite struct SchedulerTests {
    /// The model of a folder with this scheduler.
    static func model(_ scheduler: String, _ schedule: NamedSchedule? = nil) throws -> ImageModel {
        try ImageModelTests.inCopy(of: "fashion-mnist-draft") { folder in
            try FileManager.default.removeItem(at: folder.appendingPathComponent("process.json"))
            try Data(scheduler.utf8).write(to: folder.appendingPathComponent("scheduler_config.json"))
            return try ImageModel(named: folder.path, schedule: schedule)
        }
    }

    static func refusal(_ scheduler: String, _ schedule: NamedSchedule? = nil) -> ModelError? {
        #expect(throws: ModelError.self, "\(scheduler)") { try model(scheduler, schedule) }
    }

    static func betas(_ scheduler: String) throws -> BetaSchedule {
        try #require(try model(scheduler).noise.schedule as? BetaSchedule)
    }

    /// As `DPMSolverMultistepScheduler().save_pretrained` writes it.
    static let solver = """
        {"_class_name": "DPMSolverMultistepScheduler", "_diffusers_version": "0.42.1", "algorithm_type": "dpmsolver++",
         "beta_end": 0.02, "beta_schedule": "linear", "beta_start": 0.0001, "dynamic_thresholding_ratio": 0.995,
         "euler_at_final": false, "final_sigmas_type": "zero", "flow_shift": 1.0, "lambda_min_clipped": -Infinity,
         "lower_order_final": true, "num_train_timesteps": 1000, "prediction_type": "epsilon",
         "rescale_betas_zero_snr": false, "sample_max_value": 1.0, "solver_order": 2, "solver_type": "midpoint",
         "steps_offset": 0, "thresholding": false, "time_shift_type": "exponential", "timestep_spacing": "linspace",
         "trained_betas": null, "use_beta_sigmas": false, "use_dynamic_shifting": false,
         "use_exponential_sigmas": false, "use_flow_sigmas": false, "use_karras_sigmas": false,
         "use_lu_lambdas": false, "variance_type": null}
        """

    @Test func aSolversFileIsReadAndSaid() throws {
        let model = try Self.model(Self.solver)
        let plain = try BetaSchedule(family: .linear, trainingSteps: 1000)
        let schedule = try #require(model.noise.schedule as? BetaSchedule)
        #expect((0..<1000).allSatisfy { schedule.cumulativeProduct($0) == plain.cumulativeProduct($0) })
        #expect(model.notes.count == 1 && model.notes[0].contains("DPMSolverMultistepScheduler"))
        #expect(try model.noise.steps(ChainRecipe(kind: .ddpm, steps: 10)).steps.count == 10)
        #expect(try Self.model(#"{"_class_name": "DDPMScheduler"}"#).notes.isEmpty)

        let gridded = Self.solver.replacingOccurrences(
            of: "\"use_karras_sigmas\": false", with: "\"use_karras_sigmas\": true, \"num_inference_steps\": 50")
        let notes = try Self.model(gridded).notes
        #expect(
            notes.contains { $0.contains("use_karras_sigmas") } && notes.contains { $0.contains("inference_steps") })
    }

    /// A class's own defaults where the file is silent: the constructors of diffusers differ.
    @Test func defaultsAreThoseOfTheClass() throws {
        for (name, first, last) in [
            ("DDPMScheduler", 1e-4, 0.02), ("DDIMScheduler", 1e-4, 0.02), ("EulerDiscreteScheduler", 1e-4, 0.02),
            ("HeunDiscreteScheduler", 0.00085, 0.012), ("KDPM2DiscreteScheduler", 0.00085, 0.012),
        ] {
            let found = try Self.betas("{\"_class_name\": \"\(name)\"}")
            let expected = try BetaSchedule(family: .linear, trainingSteps: 1000, betaStart: first, betaEnd: last)
            #expect(found.cumulativeProduct(999) == expected.cumulativeProduct(999), "\(name)")
        }
    }

    /// Song et al. 2021, Appendix C: the betas are those of the SDE's rates over N steps, from 5e-5 to 0.01 here.
    @Test func theVariancePreservingSDEHasItsRates() throws {
        let text = """
            {"_class_name": "ScoreSdeVpScheduler", "beta_max": 20, "beta_min": 0.1, "num_train_timesteps": 2000,
             "sampling_eps": 0.001}
            """
        let betas = try Self.betas(text)
        #expect(abs(1 - betas.cumulativeProduct(0) - 5e-5) < 1e-12)
        #expect(abs(1 - betas.cumulativeProduct(1999) / betas.cumulativeProduct(1998) - 0.01) < 1e-12)
        // -∫β = -(0.1 + 20)/2, up to Σ β²/2 ≈ 0.034.
        let logarithm = log(betas.cumulativeProduct(1999))
        #expect(logarithm < -10.05 && logarithm > -10.10)
        let error = #expect(throws: ModelError.self) {
            try Self.model(text).noise.steps(ChainRecipe(kind: .ddpm, steps: 10))
        }
        #expect(error?.remedy?.contains("--chain sde") == true)
    }

    @Test(arguments: [
        "CosineDPMSolverMultistepScheduler", "KarrasVeScheduler", "LCMScheduler",
        "TCDScheduler", "CMStochasticIterativeScheduler", "IPNDMScheduler", "DDPMWuerstchenScheduler", "MyScheduler",
        "",
    ]) func aClassOfUnknownNoiseIsRefused(_ name: String) {
        for schedule in [nil, NamedSchedule.cosine] {
            let error = Self.refusal(
                #"{"_class_name": "\#(name)", "num_train_timesteps": 1000, "prediction_type": "epsilon"}"#, schedule)
            #expect(error?.key == "_class_name" && error?.found == name && error?.remedy != nil)
        }
    }

    /// diffusers 0.42.1: `precondition_inputs`, `precondition_noise` and `precondition_outputs` of `EDMEulerScheduler` for the
    /// state [0.7, -1.2] and the output [0.3, 0.9]. Its `c_noise` is in single precision.
    @Test(arguments: [
        (
            #"{"_class_name": "EDMEulerScheduler"}"#, 80.0, 1.3,
            [0.5025707110324166, -0.8615497903412856], 0.06559105217456818, [0.23020802649746921, 0.26536634753364485]
        ),
        (
            #"{"_class_name": "EDMDPMSolverMultistepScheduler", "sigma_max": 80, "solver_order": 2}"#, 80.0, 40,
            [0.017498632972696427, -0.029997656524622447], 0.9222198724746704,
            [0.15009764053593835, 0.4497773771616348]
        ),
        (
            """
            {"_class_name": "EDMEulerScheduler", "prediction_type": "v_prediction", "sigma_data": 1, "sigma_max": 120,
             "sigma_min": 0.01, "sigma_schedule": "exponential", "rho": 7, "final_sigmas_type": "zero"}
            """, 120.0, 0.05,
            [0.6991266372144912, -1.1985028066534136], -0.7489330768585205, [0.6832730790066079, -1.241951336546261]
        ),
    ])
    func networksOfEDMSeeScaledStates(
        _ scheduler: String, _ maximal: Double, _ sigma: Double, _ input: [Double], _ timestep: Double,
        _ denoised: [Double]
    ) throws {
        let noise = try Self.model(scheduler).noise
        #expect((noise.schedule as? VarianceExplodingSchedule)?.maximalNoise == maximal)
        let query = DenoiserQuery(state: [0.7, -1.2], time: sigma / maximal)
        #expect(abs(Double(noise.timesteps([query])[0]) - timestep) < 1e-6)
        for (found, expected) in zip(noise.samples([query], dimension: 2), input) {
            #expect(abs(Double(found) - expected) < 1e-7)
        }
        for (found, expected) in zip(noise.denoised([query], output: [0.3, 0.9])[0], denoised) {
            #expect(abs(found - expected) < 1e-7)
        }
    }

    @Test func gridsOfExplodingNoiseAreItsOwn() throws {
        let exponential = try Self.model(
            #"{"_class_name": "EDMEulerScheduler", "sigma_schedule": "exponential", "sigma_min": 0.01, "sigma_max": 120}"#
        )
        let steps = try exponential.noise.steps(ChainRecipe(steps: 5))
        #expect(steps.startDeviation == 120)
        let sigmas = steps.steps.map { 120 * $0.time }
        for (found, expected) in zip(sigmas, [120, 11.465314, 1.0954452, 0.10466351, 0.01]) {
            #expect(abs(found - expected) < 1e-6 * expected)
        }
        let scored = try Self.model(#"{"_class_name": "ScoreSdeVeScheduler", "snr": 0.15, "correct_steps": 1}"#).noise
        #expect(scored.prediction == .score && scored.scaling == nil)
        #expect((scored.schedule as? VarianceExplodingSchedule)?.maximalNoise == 1348)
        #expect(scored.timesteps([DenoiserQuery(state: [], time: 0.5)]) == [674])
        #expect(Self.refusal(#"{"_class_name": "EDMEulerScheduler", "sigma_data": 0}"#)?.key == "sigma_data")
        #expect(Self.refusal(#"{"_class_name": "EDMEulerScheduler", "sigma_min": 90}"#)?.key == "sigma_min")
        #expect(Self.refusal(#"{"_class_name": "EDMEulerScheduler", "sigma_schedule": "x"}"#)?.key == "sigma_schedule")
        let kind = Self.refusal(#"{"_class_name": "EDMEulerScheduler", "prediction_type": "sample"}"#)
        #expect(kind?.key == "prediction_type")
        #expect(throws: RecipeError.self) { try Self.model(#"{"_class_name": "EDMEulerScheduler"}"#, .cosine) }
    }

    @Test func flowsAreTakenWhereTheyAreNamed() throws {
        let flow = #"{"_class_name": "FlowMatchEulerDiscreteScheduler", "num_train_timesteps": 1000, "shift": 3.0}"#
        #expect(Self.refusal(flow)?.remedy?.contains("--schedule flow") == true)
        let model = try Self.model(flow, .flow)
        #expect(model.noise.schedule is FlowSchedule && model.noise.prediction == .velocity)

        let sigmas = #"{"_class_name": "DPMSolverMultistepScheduler", "use_flow_sigmas": true}"#
        let error = Self.refusal(sigmas)
        #expect(error?.key == "use_flow_sigmas" && error?.remedy?.contains("--schedule flow") == true)
        #expect(try Self.model(sigmas, .flow).noise.prediction == .noise)
        let velocity = sigmas.replacingOccurrences(of: "}", with: #", "prediction_type": "flow_prediction"}"#)
        #expect(try Self.model(velocity, .flow).noise.prediction == .velocity)
    }

    @Test(arguments: [
        #""beta_min": 0.1"#, #""beta_max": 20"#, #""continuous": true"#, #""timestep_type": "continuous""#,
        #""sigma_data": 0.5"#, #""rho": 7.0"#, #""my_key": 1"#, #""my_key": false"#,
    ]) func keysThatMayChangeTheLawAreRefused(_ member: String) {
        let key = String(member.dropFirst().prefix { $0 != "\"" })
        let error = Self.refusal(#"{"_class_name": "EulerDiscreteScheduler", \#(member)}"#)
        #expect(error?.key == key)
    }

    @Test func withoutAClassTheBetasMustStandThere() throws {
        #expect(Self.refusal("{}")?.key == "_class_name")
        #expect(Self.refusal(#"{"prediction_type": "epsilon"}"#)?.key == "_class_name")
        _ = try Self.model(#"{"beta_schedule": "squaredcos_cap_v2"}"#)
    }

    @Test func theLastOfTwoKeysCounts() throws {
        let found = try Self.betas(#"{"_class_name":"DDPMScheduler","beta_end":0.01,"beta_end":0.02}"#)
        let expected = try BetaSchedule(family: .linear, trainingSteps: 1000)
        #expect(found.cumulativeProduct(999) == expected.cumulativeProduct(999))
    }

    /// What only the ancestral chain minds leaves the SDE alone.
    @Test(arguments: [
        ("thresholding", "true"), ("variance_type", "\"learned_range\""), ("timestep_spacing", "null"),
        ("timestep_spacing", "\"odd\""), ("clip_sample_range", "-1"), ("clip_sample_range", "Infinity"),
    ]) func ancestralOptionsAreRefusedWithTheAncestralChain(_ key: String, _ value: String) throws {
        let model = try Self.model(#"{"_class_name": "DDPMScheduler", "\#(key)": \#(value)}"#)
        #expect(try model.noise.steps(ChainRecipe(kind: .sde, steps: 5)).steps.count == 5)
        let error = #expect(throws: ModelError.self) { try model.noise.steps(ChainRecipe(kind: .ddpm, steps: 5)) }
        #expect(error?.key == key)
    }

    /// As in Python, null is false: no clipping. Left out, it is the constructor's true.
    @Test func nullClipsNothing() throws {
        func bounds(_ member: String) throws -> ClosedRange<Double>? {
            try Self.model(#"{"_class_name": "DDPMScheduler"\#(member)}"#)
                .noise.steps(ChainRecipe(kind: .ddpm, steps: 7)).bounds
        }
        #expect(try bounds(#", "clip_sample": null"#) == nil)
        #expect(try bounds(#", "clip_sample": false"#) == nil)
        #expect(try bounds(#", "clip_sample": true"#) == -1...1)
        #expect(try bounds("") == -1...1)
    }

    @Test(arguments: ["beta_start", "beta_schedule", "num_train_timesteps", "prediction_type"])
    func nullIsNoValue(_ key: String) {
        #expect(Self.refusal(#"{"_class_name": "DDPMScheduler", "\#(key)": null}"#)?.found == "null")
    }

    @Test func faultsOfTheTextAreNamedWithTheirPlace() {
        let error = Self.refusal("{\"_class_name\": \"DDPMScheduler\",\n \"beta_end\": 0.02,\n}")
        #expect(error?.found.contains("line 2, column 18") == true)
        #expect(error?.found.contains("a comma after the last entry") == true)
        let wrong = Self.refusal(#"{"_class_name": "DDPMScheduler", "beta_end": "x"}"#)
        #expect(wrong?.key == "beta_end" && wrong?.expected == "a number" && wrong?.found == "\"x\"")
        let item = Self.refusal(#"{"trained_betas": [0.1, true]}"#)
        #expect(item?.key == "trained_betas.1")
    }

    /// numpy's own numbers, `np.round(np.arange(T, 0, -T/steps)).astype(int) - 1` and
    /// `np.linspace(0, T - 1, steps).round()[::-1]`, of runs in which exact arithmetic rounds some ties the other way.
    @Test func timestepsFallAsNumpyRounds() throws {
        let cases: [(spacing: AncestralDDPM.Spacing, trainingSteps: Int, steps: Int, index: Int, timestep: Int)] = [
            (.trailing, 50, 12, 9, 12),
            (.trailing, 50, 24, 6, 36),
            (.trailing, 1000, 48, 3, 936),
            (.trailing, 1000, 96, 18, 812),
            (.trailing, 1000, 112, 7, 936),
            (.linspace, 100, 47, 23, 49),
            (.linspace, 100, 91, 35, 61),
            (.linspace, 1000, 27, 13, 499),
            (.linspace, 1000, 31, 15, 499),
            (.linspace, 1000, 47, 23, 499),
        ]
        for (spacing, trainingSteps, steps, index, timestep) in cases {
            let found = try AncestralDDPM.timesteps(spacing, steps: steps, trainingSteps: trainingSteps)
            #expect(found[index] == timestep, "\(spacing), \(steps) of \(trainingSteps)")
        }
    }

    /// A pipeline whose UNet makes latents is named if its kind is not known.
    @Test func foreignLatentPipelinesAreRefused() throws {
        for (key, isLatent) in [("vqvae", true), ("vae", true), ("safety_checker", false)] {
            try ImageModelTests.inCopy(of: "fashion-mnist-draft") { folder in
                try Data(#"{"_class_name": "KandinskyV22Pipeline", "\#(key)": ["diffusers", "VQModel"]}"#.utf8)
                    .write(to: folder.appendingPathComponent("model_index.json"))
                guard isLatent else {
                    _ = try ImageModel(named: folder.path)
                    return
                }
                let error = #expect(throws: ModelError.self) { try ImageModel(named: folder.path) }
                #expect(error?.key == "_class_name" && error?.found.contains("KandinskyV22Pipeline") == true)
            }
        }
    }

    /// Layouts that are not read are told from folders that lack a file.
    @Test func foreignLayoutsAreNamed() throws {
        try ImageModelTests.inCopy(of: "fashion-mnist-draft") { folder in
            let files = FileManager.default
            try files.createDirectory(
                at: folder.appendingPathComponent("unet_ema"), withIntermediateDirectories: true)
            try files.moveItem(
                at: folder.appendingPathComponent("config.json"),
                to: folder.appendingPathComponent("unet_ema/config.json"))
            let error = #expect(throws: ModelError.self) { try ImageModel(named: folder.path) }
            #expect(error?.found.contains("unet_ema") == true && error?.remedy?.contains("rename") == true)
        }
        try ImageModelTests.inCopy(of: "fashion-mnist-draft") { folder in
            try Data(#"{"type": "diffusion", "n_obs_steps": 2}"#.utf8)
                .write(to: folder.appendingPathComponent("config.json"))
            let error = #expect(throws: ModelError.self) { try ImageModel(named: folder.path) }
            #expect(error?.found.contains("robot policy") == true && error?.remedy?.contains("policy") == true)
        }
    }
}
