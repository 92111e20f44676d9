import Couplings
import Diffusion
import Statistics
import Testing

/// The controls that break the loop instead of the rule; the same loop without a fault must pass. On chains that contract,
/// the first fault hardly shows; on a walk nothing is forgotten.
@Suite("Loops that break R2 or R3 are caught")
struct WrongLoopTests {
    static let count = 20_000

    @Test(arguments: BareLoop<DriftingWalk>.Fault.allCases)
    func faults(fault: BareLoop<DriftingWalk>.Fault) throws {
        let chain = DriftingWalk(drift: (0..<12).map { 0.4 * Double($0) })
        let loop = BareLoop(chain: chain, random: RandomSource(seed: 14), fault: fault)
        let states = try (0..<Self.count).map { try loop.final(sample: $0) }
        var plain: [[Double]] = []
        try SequentialSampler(chain: chain, random: RandomSource(seed: 11)).run(samples: 0..<Self.count, lanes: 256) {
            plain.append($0.state)
        }
        let pValue = MarginalTest.twoSample(states, plain).pValue
        switch fault {
        case .none: #expect(pValue > 1e-4)
        case .windowFromUndecidedFlags, .noiseRedrawnAfterALook: #expect(pValue < 1e-6)
        }
    }
}
