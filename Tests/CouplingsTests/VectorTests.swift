import Couplings
import Testing

/// The sums that run side by side against one after the other, for lengths with and without a rest of eight. Two orders of `n` terms
/// differ by at most `2 n 2⁻⁵³` of the sum of their sizes.
@Suite("Arithmetic on states")
struct VectorTests {
    @Test(arguments: [0, 1, 7, 8, 9, 16, 1003]) func sumsAreThoseOfOneLoop(count: Int) {
        let random = RandomSource(seed: 4)
        let vectors = (0..<4).map { random.increment(sample: $0, step: 0, dimension: count) }
        let (x, y, u, v) = (vectors[0], vectors[1], vectors[2], vectors[3])
        let rounding = 2 * Double(count) * 0x1p-53
        func expectClose(_ found: Double, _ terms: [Double]) {
            let size = terms.reduce(0) { $0 + abs($1) }
            #expect(abs(found - terms.reduce(0, +)) <= rounding * size)
        }
        expectClose(Vector.dot(x, y), x.indices.map { x[$0] * y[$0] })
        expectClose(Vector.squaredNorm(x), x.map { $0 * $0 })
        let found = Vector.differences(x, less: y, u, less: v)
        expectClose(found.dot, x.indices.map { (x[$0] - y[$0]) * (u[$0] - v[$0]) })
        expectClose(found.squaredNorm, x.indices.map { (u[$0] - v[$0]) * (u[$0] - v[$0]) })
        // These are the same operations, so that every bit is.
        #expect(Vector.combine(2, x, -3, y) == x.indices.map { 2 * x[$0] + -3 * y[$0] })
        #expect(Vector.combine(2, x, -3, y, less: u) == x.indices.map { 2 * x[$0] + -3 * (y[$0] - u[$0]) })
    }

    @Test func whatIsNotFiniteIsNotLost() {
        for place in [0, 7, 8, 12] {
            var x = [Double](repeating: 1, count: 13)
            x[place] = .nan
            #expect(Vector.squaredNorm(x).isNaN)
            x[place] = .infinity
            #expect(Vector.squaredNorm(x) == .infinity)
        }
    }
}
