import Couplings
import Testing

@Suite struct SeedsTests {
    /// A sample with a seed of its own draws what the first sample draws under that seed.
    @Test func aSampleDependsOnItsSeedAlone() {
        let source = RandomSource(seeds: [7, 3, 7])
        func draw(_ source: RandomSource, _ sample: Int) -> [Double] {
            source.increment(sample: sample, step: 5, dimension: 4)
        }
        #expect(draw(source, 0) == draw(RandomSource(seed: 7), 0))
        #expect(draw(source, 1) == draw(RandomSource(seed: 3), 0))
        #expect(draw(source, 2) == draw(source, 0))
        #expect(draw(source, 1) != draw(source, 0))
    }
}
