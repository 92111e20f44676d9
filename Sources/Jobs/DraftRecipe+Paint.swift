import Imaging
import Models

extension DraftRecipe {
    /// What the draft is painted with in every figure.
    var paint: Paint {
        switch self {
        case .recycled: .series(0)
        case .recycledZeroth: .series(0).weakened(to: 0.55)
        case .broyden: .series(0).weakened(to: 0.75)
        case .frozen: .series(1)
        case .frozenFresh, .frozenPrevious: .series(1).weakened(to: 0.55)
        case .independent: .series(2)
        case .assisted: .series(3)
        case .corrected: .series(4)
        case .frozenDenoiser: .series(5)
        case .hessian: .series(4).weakened(to: 0.55)
        case .picard, .mixture, .learntMixture: .series(6)
        case .deterministicPicard: .series(6).weakened(to: 0.55)
        case .none: .muted
        }
    }
}
