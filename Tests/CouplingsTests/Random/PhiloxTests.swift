import Couplings
import Foundation
import Testing

@Suite("Philox and its streams")
struct PhiloxTests {
    /// The known answers that come with Random123 (`kat_vectors`, philox4x32 10).
    @Test(arguments: [
        (
            SIMD4<UInt32>(repeating: 0), SIMD2<UInt32>(repeating: 0),
            SIMD4<UInt32>(0x6627_E8D5, 0xE169_C58D, 0xBC57_AC4C, 0x9B00_DBD8)
        ),
        (
            SIMD4<UInt32>(repeating: .max), SIMD2<UInt32>(repeating: .max),
            SIMD4<UInt32>(0x408F_276D, 0x41C8_3B0E, 0xA20B_C7C6, 0x6D54_51FD)
        ),
        (
            SIMD4<UInt32>(0x243F_6A88, 0x85A3_08D3, 0x1319_8A2E, 0x0370_7344),
            SIMD2<UInt32>(0xA409_3822, 0x299F_31D0),
            SIMD4<UInt32>(0xD16C_FE09, 0x94FD_CCEB, 0x5001_E420, 0x2412_6EA1)
        ),
    ])
    func knownAnswers(counter: SIMD4<UInt32>, key: SIMD2<UInt32>, expected: SIMD4<UInt32>) {
        #expect(Philox4x32.block(counter: counter, key: key) == expected)
    }

    @Test func streamsAreFunctionsOfTheirKey() {
        let source = RandomSource(seed: 7)
        func draws(_ sample: Int, _ step: Int, _ purpose: RandomPurpose, seed: UInt64 = 7) -> [UInt64] {
            var stream = RandomSource(seed: seed).stream(sample: sample, step: step, purpose: purpose)
            return (0..<4).map { _ in stream.next() }
        }
        let base = draws(3, 5, .increment)
        #expect(base == draws(3, 5, .increment))
        for other in [
            draws(4, 5, .increment), draws(3, 6, .increment), draws(3, 5, .verification),
            draws(3 + 1 << 33, 5, .increment), draws(3, 5, .increment, seed: 8),
            draws(3, 5, .increment, seed: 7 + 1 << 40),
        ] {
            #expect(other != base)
        }
        #expect(
            source.increment(sample: 3, step: 5, dimension: 9).prefix(4).elementsEqual(
                source.increment(sample: 3, step: 5, dimension: 4)))
    }

    /// The loops in C against `next` and the mathematical library: of any number of normals, and from a stream of which a half
    /// block is used up. A unit in the last place of each of log, sine and cosine, and what the rounding of the library's own angle
    /// makes, at most 4·2⁻⁵³ of a turn's 2π, stays within 1e-14 of the radius.
    @Test(arguments: [false, true]) func normalsAreBoxAndMullersOfTheWords(begun: Bool) {
        for count in [0, 1, 2, 15, 16, 31, 32, 33, 1000, 1001] {
            var stream = RandomSource(seed: 3).stream(sample: 1, step: 2, purpose: .auxiliary)
            if begun { _ = stream.next() }
            var words = stream
            let values = stream.normals(count)
            #expect(values.count == count)
            for pair in 0..<(count + 1) / 2 {
                let radius = (-2 * log(words.uniform())).squareRoot()
                let angle = 2 * Double.pi * words.uniform()
                for (i, expected) in zip([2 * pair, 2 * pair + 1], [radius * cos(angle), radius * sin(angle)])
                where i < count {
                    #expect(abs(values[i] - expected) <= 1e-14 * radius)
                }
            }
            #expect(stream.next() == words.next())
        }
    }

    /// Mean, variance, skewness and kurtosis of n = 400,000 normals, each within 5 of its standard errors
    /// √(1/n), √(2/n), √(15/n), √(96/n); so is the correlation of neighbours.
    @Test func normalsHaveTheirMoments() {
        let n = 400_000.0
        var stream = RandomSource(seed: 1).stream(sample: 0, step: 0, purpose: .auxiliary)
        let values = stream.normals(Int(n))
        func moment(_ power: Int) -> Double {
            values.reduce(0) { sum, x in sum + (0..<power).reduce(1) { product, _ in product * x } } / n
        }
        #expect(abs(moment(1)) < 5 * (1 / n).squareRoot())
        #expect(abs(moment(2) - 1) < 5 * (2 / n).squareRoot())
        #expect(abs(moment(3)) < 5 * (15 / n).squareRoot())
        #expect(abs(moment(4) - 3) < 5 * (96 / n).squareRoot())
        let neighbours = zip(values, values.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / n
        #expect(abs(neighbours) < 5 * (1 / n).squareRoot())
    }

    @Test func uniformsStayInsideTheOpenInterval() {
        var stream = RandomSource(seed: 2).stream(sample: 0, step: 0, purpose: .auxiliary)
        let values = (0..<100_000).map { _ in stream.uniform() }
        #expect(values.allSatisfy { $0 > 0 && $0 < 1 })
        // standard error of the mean: 1/√(12 n)
        #expect(abs(values.reduce(0, +) / 1e5 - 0.5) < 5 / (12e5).squareRoot())
    }
}
