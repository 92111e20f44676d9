/// The increments `Z_k` that a sample's last window was drafted with. They are pinned (rule R2), so that the next window
/// would draw the very same ones again for the steps that both reach: this only saves the drawing, which for cheap
/// chains costs more than the target itself.
struct PinnedNoise: Sendable {
    private var firstStep = 0
    private var increments: [[Double]] = []

    init() {}

    init(firstStep: Int, increments: [[Double]]) {
        self.firstStep = firstStep
        self.increments = increments
    }

    /// `Z_k`, if it has been drawn.
    func increment(at step: Int) -> [Double]? {
        increments.indices.contains(step - firstStep) ? increments[step - firstStep] : nil
    }
}
