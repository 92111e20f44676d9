import Couplings
import Diffusion
import Statistics
import Testing

/// Controls that break the loop instead of the rule.
@Suite("Loops that break R2 or R3 are found out")
struct LoopControlTests {
    /// The same loop without a fault must pass. On chains that contract, the window from undecided flags hardly shows; on
    /// a walk nothing is forgotten.
    @Test(arguments: BareLoop<DriftingWalk>.Fault.allCases)
    func wrongLoopsAreCaught(fault: BareLoop<DriftingWalk>.Fault) throws {
        let (chain, count) = (DriftingWalk(drift: (0..<12).map { 0.4 * Double($0) }), 20_000)
        let loop = BareLoop(chain: chain, random: RandomSource(seed: 14), fault: fault)
        let states = try (0..<count).map { try loop.final(sample: $0) }
        var plain: [[Double]] = []
        try SequentialSampler(chain: chain, random: RandomSource(seed: 11)).run(samples: 0..<count, lanes: 256) {
            plain.append($0.state)
        }
        let pValue = MarginalTest.twoSample(states, plain).pValue
        switch fault {
        case .none: #expect(pValue > 1e-3)
        case .windowFromUndecidedFlags, .noiseRedrawnAfterALook: #expect(pValue < 1e-6)
        }
    }
}
