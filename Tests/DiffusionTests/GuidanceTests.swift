import Couplings
import Diffusion
import Testing

/// Class-free guidance by its values: what a chain makes of two answers.
@Suite("Guidance")
struct GuidanceTests {
    /// Answers of its condition and the state: `x̂0 = y/2 + c`.
    private struct Shifted: Denoiser {
        let dimension = 2

        func denoised(_ queries: [DenoiserQuery]) -> [[Double]] {
            queries.map { query in
                let shift = if case .label(let label) = query.condition { Double(label + 1) } else { -0.3 }
                return query.state.map { $0 / 2 + shift }
            }
        }
    }

    private static func chain(guidance: Double, churn: Double) throws -> DenoisingChain {
        let schedule = FlowSchedule()
        let grid = try TimeGrid(.uniform, steps: 4, schedule: schedule)
        return try DenoisingChain(
            denoiser: Shifted(), steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: churn),
            conditions: [.label(0), .label(2)], guidance: guidance)
    }

    /// `(1 + δ) x̂0(y, c) - δ x̂0(y, ∅) = y/2 + (1 + δ) c + 0.3 δ`, each sample with its own class.
    @Test(arguments: [0, 0.5, 3, -0.2])
    func thePredictionIsGuided(guidance: Double) throws {
        let chain = try Self.chain(guidance: guidance, churn: 0.5)
        let state = [0.4, -1.2]
        let answers = try chain.predictions(for: [
            ChainQuery(sample: 0, step: 1, state: state), ChainQuery(sample: 1, step: 1, state: state),
        ])
        for (answer, label) in zip(answers, [1.0, 3]) {
            for (value, y) in zip(answer, state) {
                #expect(abs(value - (y / 2 + (1 + guidance) * label + 0.3 * guidance)) < 1e-14)
            }
        }
    }

    /// The drift is linear in `x̂0`: its velocity `(σ' y + (α' - α σ'/σ) σ … )` and its score, `(α x̂0 - y)/σ²`, are guided alike.
    /// Against (245), which guides the velocity alone: the same at churn 0, and apart by `½ ε² g² γ δ (s(y, c) - s(y, ∅))` above.
    @Test(arguments: [0.0, 0.5, 1])
    func theWholeDriftIsGuided(churn: Double) throws {
        let (guidance, step, state) = (0.7, 1, [0.4, -1.2])
        let (plain, guided) = (
            try Self.chain(guidance: 0, churn: churn), try Self.chain(guidance: guidance, churn: churn)
        )
        let query = [ChainQuery(sample: 1, step: step, state: state)]
        let mean = guided.mean(step: step, state: state, prediction: try guided.predictions(for: query)[0])
        // The two answers by themselves: classes 2 and none.
        let conditional = guided.mean(step: step, state: state, prediction: try plain.predictions(for: query)[0])
        let free = guided.mean(step: step, state: state, prediction: state.map { $0 / 2 - 0.3 })
        for i in state.indices {
            #expect(abs(mean[i] - ((1 + guidance) * conditional[i] - guidance * free[i])) < 1e-13)
        }
        // Of (245): the conditional mean, with the velocity's part of the guidance alone.
        let schedule = FlowSchedule()
        let time = plain.steps[step].time
        let (signal, noise) = (schedule.signal(at: time), schedule.noise(at: time))
        let scoreGap = (3 - -0.3) * signal / (noise * noise)
        let square = schedule.squaredDiffusion(at: time)
        let duration = plain.transition(at: step).duration
        let published = mean[0] - guidance * duration * churn * churn / 2 * square * scoreGap
        #expect(churn == 0 ? published == mean[0] : abs(published - mean[0]) > 0.01)
        // Without churn the score's part is nothing, so that what remains is the velocity's.
        let flow = try Self.chain(guidance: guidance, churn: 0)
        let deterministic = flow.mean(step: step, state: state, prediction: try flow.predictions(for: query)[0])
        let flowConditional = flow.mean(step: step, state: state, prediction: try plain.predictions(for: query)[0])
        #expect(abs((published - conditional[0]) - (deterministic[0] - flowConditional[0])) < 1e-12)
    }
}
