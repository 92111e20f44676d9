/// What is decided of a sample, as far as the choice of its next window may depend on it (rule R3): nothing here comes
/// from a draft past a rejection.
public struct DecidedSteps: Sendable, Equatable {
    /// A drafted step that was decided.
    public struct Draft: Sendable, Equatable {
        /// `k`
        public let step: Int
        /// Its place in the window, 0 for the first.
        public let position: Int
        /// `‖Δ‖`; 0 where the draft was right by construction, the target having just been asked at this state.
        public let distance: Double
        /// The probability with which the rule accepts at its `Δ`.
        public let acceptance: Double
        public let isAccepted: Bool
    }

    /// How many drafts are kept at least.
    public static let memory = 256

    /// The latest decided drafts, oldest first, since the last plain step.
    public private(set) var drafts: [Draft] = []
    /// Steps taken without a draft because the policy said so.
    public private(set) var plainSteps = 0
    /// How many of them in a row were the last steps; 0 after a drafted one.
    public private(set) var plainRun = 0

    public init() {}

    /// Whether a sample that went over to plain steps should stay with them for now: 8 of them, and then each time as
    /// many as there were before, so that what the further attempts cost stays small.
    public var isInPlainStretch: Bool { plainRun > 0 && plainRun < max(8, plainSteps - plainRun) }

    mutating func record(_ draft: Draft) {
        plainRun = 0
        drafts.append(draft)
        if drafts.count > 2 * Self.memory { drafts.removeFirst(drafts.count - Self.memory) }
    }

    mutating func recordPlainStep() {
        drafts.removeAll(keepingCapacity: true)
        plainSteps += 1
        plainRun += 1
    }
}
