import Couplings
import FiniteAlphabets
import Testing
import TokenModels

@Suite("Coupling without communication on laws of real models")
struct CommunicationFreeTests {
    @Test("CWC Figure 2: Gumbel ≥ MinHash ≥ (1 - D)/(1 + D), both ≤ 1 - D, for 32 pairs")
    func order() throws {
        let vocabulary = ByteVocabulary(of: TestText.english)
        let tokens = try vocabulary.encode(TestText.english)
        let target = try NGramModel(order: 5, vocabularySize: vocabulary.count, trainedOn: tokens)
        let draft = try NGramModel(order: 2, vocabularySize: vocabulary.count, trainedOn: tokens)
        var generator = RandomSource(seed: 1).stream(sample: 0, step: 0, purpose: .auxiliary)
        var context: [Int] = []
        for _ in 0..<32 {
            let q = try target.nextDistribution(after: context)
            let p = try draft.nextDistribution(after: context)
            let distance = try p.totalVariation(to: q)
            let gumbel = try GumbelCoupling.matchProbability(draft: p, target: q)
            let minHash = try WeightedMinHashCoupling.matchProbability(draft: p, target: q)
            #expect(gumbel >= minHash - 1e-12)
            #expect(minHash >= CommunicationFreeBound.matchProbability(totalVariation: distance) - 1e-12)
            #expect(gumbel <= 1 - distance + 1e-12)
            context.append(q.sample(randomness: &generator))
        }
    }
}
