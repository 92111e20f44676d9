import Models
import NeuralNetwork
import Statistics

/// The machine-readable account of a run; its keys are part of the command line's contract.
public struct Report: Encodable, Sendable {
    public struct Sample: Encodable, Sendable {
        public let nfe: Int
        public let evaluations: Int
        public let accepted: Int
        public let rejected: Int
    }

    public struct Step: Encodable, Sendable {
        public let step: Int
        /// Drafts of this step that came to be decided.
        public var drafted = 0
        public var accepted = 0
        /// Mean of `2Φ(-‖Δ‖/2)` over them.
        public var predicted_acceptance = 0.0
    }

    public struct Versions: Encodable, Sendable {
        public let diffspec: String
        /// The variant of the package's own loops in C.
        public let kernels: String
        /// Null: products are the package's own, and no OpenBLAS is linked. The key stays for readers of older reports.
        @Nullable public var openblas_core: String?
    }

    public let model: String
    /// Of the network's large products: "f32" or "bf16"; nil for a network that is not the program's own.
    public let precision: String?
    public let steps: Int
    public let window: WindowRecipe
    public let draft: String
    public let churn: Double
    public let temperature: Double
    public let rule: String
    /// Whether samples go over to plain steps where almost every draft is rejected.
    public let fallback: Bool
    public let exact: Bool
    public let seed: UInt64
    /// What of the model's files is not followed as another program might; nil if all is.
    public let notes: [String]?
    /// What samples started from, if not from noise alone.
    public let start: StartRecipe?
    public let count: Int
    /// Of a job in parts, which: "2/8".
    public let shard: String?
    /// Of a job that was joined, the number of its parts; its seconds are those of the longest.
    public let shards: Int?
    public let threads: Int
    /// Of a run on several processes.
    public let parallel: Parallel?
    public let calls: Int
    public let wall_seconds: Double
    public let nfe: CountSummary
    /// Verification calls alone.
    public let windows: CountSummary
    public let evaluations: CountSummary
    public let acceptance: Double
    /// Steps taken without a draft.
    public let plain_steps: Int
    /// States drawn from the target upon rejections: --rule rejection only.
    public let extra_draws: Int
    public let per_sample: [Sample]
    public let by_step: [Step]
    public let versions: Versions

    public struct Parallel: Encodable, Sendable {
        public let mode: String
        public let ranks: Int
        /// Of `window`: of all target calls, the seconds they took, and of these the slowest process's computing.
        public let call_seconds: Double?
        public let computing_seconds: Double?

        package init(mode: String, ranks: Int, callSeconds: Double?, computingSeconds: Double?) {
            (self.mode, self.ranks) = (mode, ranks)
            (call_seconds, computing_seconds) = (callSeconds, computingSeconds)
        }
    }

    package init(
        _ run: SamplingDescription, tally: SamplingTally, threads: Int, shard: String? = nil, shards: Int? = nil,
        parallel: Parallel? = nil
    ) {
        model = run.model
        precision = run.precision
        steps = run.steps
        window = run.window
        draft = run.draft
        churn = run.churn
        temperature = run.temperature
        rule = run.rule
        fallback = run.fallback
        exact = run.exact
        seed = run.seed
        notes = run.notes
        start = run.start
        count = tally.samples.count
        self.shard = shard
        self.shards = shards
        self.threads = threads
        self.parallel = parallel
        calls = tally.calls
        wall_seconds = tally.seconds
        nfe = tally.nfe
        windows = tally.windows
        evaluations = tally.evaluations
        acceptance = tally.acceptance
        plain_steps = run.draft == "none" ? count * steps : tally.plainSteps
        extra_draws = tally.extraDraws
        per_sample = tally.costs.map {
            .init(nfe: $0.calls, evaluations: $0.evaluations, accepted: $0.accepted, rejected: $0.rejected)
        }
        by_step = tally.reportedSteps
        versions = .init(diffspec: Version.current, kernels: Kernels.name, openblas_core: nil)
    }
}
