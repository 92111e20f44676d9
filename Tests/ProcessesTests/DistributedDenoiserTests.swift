import Couplings
import Diffusion
import Processes
import Testing

/// Some function of all that a row holds, which no two rows share; with one label it fails.
private struct RowDenoiser: Denoiser {
    struct Failure: Error {}
    let dimension = 5

    func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        try queries.map { query in
            if query.condition == .label(9) { throw Failure() }
            let shift =
                switch query.condition {
                case .none: 4.0
                case .label(let number): Double(number)
                case .prepared(let number): Double(number) / 2
                }
            return query.state.map { sin(3 * $0) / (query.time + 0.1) + shift }
        }
    }

    private func sin(_ x: Double) -> Double { x - x * x * x / 6 }
}

@Suite struct DistributedDenoiserTests {
    private static func queries(_ count: Int, seed: UInt64) -> [DenoiserQuery] {
        var stream = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        return (0..<count).map { row in
            DenoiserQuery(
                state: stream.normals(5), time: stream.uniform(),
                condition: [.none, .label(row), .prepared(row)][row % 3])
        }
    }

    /// Calls smaller than the group, larger than a broadcast, and empty; every bit as without a group.
    @Test(arguments: [1, 2, 3, 7])
    func rowsAreThoseOfOneProcess(ranks: Int) throws {
        let sizes = [1, 4, 10, 23, 0, 2]
        let found = try ThreadGroup.run(size: ranks) { group -> ([[[Double]]], DistributedDenoiser.Times) in
            let denoiser = DistributedDenoiser(RowDenoiser(), group: group, capacity: 10)
            if group.rank > 0 {
                try denoiser.serve()
                return ([], denoiser.times)
            }
            defer { denoiser.release() }
            return (try sizes.map { try denoiser.denoised(Self.queries($0, seed: UInt64($0))) }, denoiser.times)
        }
        let expected = try sizes.map { try RowDenoiser().denoised(Self.queries($0, seed: UInt64($0))) }
        #expect(found.0 == expected)
        // 23 rows are three broadcasts of ten, and no rows are none.
        #expect(found.1.calls == 1 + 1 + 1 + 3 + 0 + 1)
        #expect(found.1.seconds >= found.1.computing)
    }

    @Test func sharesTileTheRowsEvenly() {
        for size in 1...9 {
            for rows in 0...30 {
                let shares = (0..<size).map { DistributedDenoiser.share(rank: $0, of: size, rows: rows) }
                #expect(shares.flatMap { Array($0) } == Array(0..<rows))
                let counts = shares.map(\.count)
                #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1)
            }
        }
    }

    /// A process that fails says so; ending the group is then its program's part.
    @Test func failuresComeOut() {
        let denoiser = DistributedDenoiser(RowDenoiser(), group: SingleProcess(), capacity: 4)
        let bad = DenoiserQuery(state: [0, 0, 0, 0, 0], time: 0.5, condition: .label(9))
        #expect(throws: RowDenoiser.Failure.self) { try denoiser.denoised([bad]) }
    }
}
