import Statistics

/// One hypothesis of the suite: that a procedure's results follow the law they should.
public struct Check: Sendable {
    /// What the hypothesis is about; also the family that a level can be stated for.
    public enum Group: String, CaseIterable, Sendable, Codable {
        /// What comes out of a coupling rule is `N(m^q, s² I)`, whatever the draft.
        case marginal
        /// A rule accepts as often as `2Φ(-‖Δ‖/2)` says.
        case meeting
        /// Speculative samples of a chain have the law of plain ones.
        case speculation
        /// A rule for tokens makes tokens of the target's law, and takes drafts as often as it says.
        case finite
        /// Something known to be wrong, which the tests must find out: proof that they can.
        case control
    }

    public let group: Group
    /// Which group's tests a control is to prove; of another check its own group.
    public let about: Group
    public let name: String
    /// The test that gives the p-value.
    public let test: String
    /// How many independent results it is given; the least, where it draws until it has seen enough.
    public let samples: Int
    let run: @Sendable () throws -> TestResult

    public init(
        group: Group, about: Group? = nil, name: String, test: String, samples: Int,
        run: @escaping @Sendable () throws -> TestResult
    ) {
        self.group = group
        self.about = about ?? group
        self.name = name
        self.test = test
        self.samples = samples
        self.run = run
    }
}

/// What became of a check.
public struct Finding: Sendable, Codable {
    public let group: Check.Group
    public let name: String
    public let test: String
    public let samples: Int
    public let statistic: Double
    public let pValue: Double
    /// Holm's adjustment over all the hypotheses that should hold; nil for a control.
    public let adjustedPValue: Double?
    /// Whether a hypothesis that should hold was not rejected at the family-wise level, or a control was rejected.
    public let hasPassed: Bool

    private enum CodingKeys: String, CodingKey {
        case group, name, test, samples, statistic
        case pValue = "p_value"
        case adjustedPValue = "adjusted_p_value"
        case hasPassed = "passed"
    }
}
