import Couplings
import Diffusion

/// How long a call of so many rows keeps one thread busy: the processor's time, so that what else runs does not count as
/// `CallTimes` would count it.
struct CallSeconds {
    let points: [(rows: Int, seconds: Double)]
    private let cost: CallCost

    /// The least of a few calls each.
    init(of chain: some GaussianChain) throws {
        let state = RandomSource(seed: 0).increment(sample: 0, step: 0, dimension: chain.dimension)
        func seconds(_ rows: Int) throws -> Double {
            let queries = (0..<rows).map { ChainQuery(sample: $0, step: 0, state: state) }
            let start = processorSeconds()
            _ = try chain.predictions(for: queries)
            return max(1e-9, processorSeconds() - start)
        }
        _ = try seconds(1)  // the first call allocates what the others use
        points = try [1, 2, 4, 8, 16, 32, 64].map { rows in
            (rows, try (0..<3 + 32 / rows).map { _ in try seconds(rows) }.min() ?? 0)
        }
        cost = try .measured(points)
    }

    func callAsFunction(rows: Int) -> Double { points[0].seconds * cost(rows: rows) }
}
