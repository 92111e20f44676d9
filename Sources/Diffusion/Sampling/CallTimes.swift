import Couplings

/// How long calls take on this machine, by their rows.
public struct CallTimes: Sendable {
    public struct Point: Sendable, Encodable {
        public let rows: Int
        public let seconds: Double
    }

    public let points: [Point]
    public let cost: CallCost

    /// Times calls of 1, 2, 4, … rows, as many as half a second has room for, and all of them again until a second has
    /// passed: the fastest of each counts, so that a load that comes and goes does not fall on one of them alone.
    public init(of chain: some GaussianChain, upTo largest: Int) throws {
        var stream = RandomSource(seed: 0).stream(sample: 0, step: 0, purpose: .auxiliary)
        let state = stream.normals(chain.dimension)
        func time(_ rows: Int) throws -> Double {
            let queries = (0..<rows).map { ChainQuery(sample: $0, step: 0, state: state) }
            let start = ContinuousClock.now
            _ = try chain.predictions(for: queries)
            return max(1e-9, (ContinuousClock.now - start).seconds)
        }
        _ = try time(1)  // the first call allocates what the others use
        let start = ContinuousClock.now
        var times: [(rows: Int, seconds: Double)] = []
        var rows = 1
        while times.count < 2 || rows <= min(largest, 64) && ContinuousClock.now - start < .seconds(0.5) {
            times.append((rows, try time(rows)))
            rows *= 2
        }
        for round in 0..<8 where round == 0 || ContinuousClock.now - start < .seconds(1) {
            for i in times.indices { times[i].seconds = min(times[i].seconds, try time(times[i].rows)) }
        }
        points = times.map { Point(rows: $0.rows, seconds: $0.seconds) }
        cost = try .measured(times)
    }

    /// Predicted seconds of a call.
    public func seconds(rows: Int) -> Double { points[0].seconds * cost(rows: rows) }
}
