/// Samples that share their calls, round by round. Whenever one is finished, the next takes its place at once, so that the
/// calls stay full and memory bounded however many there are.
public struct SamplesUnderWay<Samples: Collection<Int>> {
    private var waiting: Samples.SubSequence
    private let lanes: Int
    /// Those that have begun, in the order of their beginning; finished ones until they are taken.
    public private(set) var active: [SampleState] = []

    /// - Parameters:
    ///   - samples: their indices, in the order in which they begin.
    ///   - lanes: how many are under way at a time, at least 1.
    public init(_ samples: Samples, lanes: Int) {
        precondition(lanes > 0, "at least one lane")
        waiting = samples[...]
        self.lanes = lanes
    }

    public var isEmpty: Bool { waiting.isEmpty && active.isEmpty }

    /// One round of all that are under way, which must be unfinished. If it fails, this is to be thrown away.
    /// - Returns: what it did; nil if there is nothing left to do.
    public mutating func round(by sampler: some Sampler) throws -> StepInfo? {
        while active.count < lanes, let next = waiting.popFirst() { active.append(sampler.start(sample: next)) }
        return active.isEmpty ? nil : try sampler.step(&active)
    }

    /// Hands over the samples that have taken all of a chain's steps.
    public mutating func takeFinished(stepCount: Int) -> [SampleState] {
        let finished = active.filter { $0.step == stepCount }
        active.removeAll { $0.step == stepCount }
        return finished
    }
}

extension SamplesUnderWay: Sendable where Samples.SubSequence: Sendable {}
