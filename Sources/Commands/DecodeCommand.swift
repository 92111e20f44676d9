import ArgumentParser
import Couplings
import Foundation
import TokenModels

/// `diffspec decode`: speculative decoding of text, with tables of block efficiency and acceptance.
struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Decode text speculatively, by any rule or drafter-invariantly.",
        discussion: """
            The target is an n-gram model of the bytes of --text, or a llama2.c --checkpoint with its --tokenizer. The draft is an n-gram \
            model of the same text; of a checkpoint without a text, of what it writes itself. With --rule gumbel the text is a \
            function of the seed and the target alone, whatever the draft and the lookahead. Several --rule make a table.
            """)

    @Option(help: "Text file that the n-gram models learn from.")
    var text: String?
    @Option(help: "A llama2.c checkpoint (.bin) to be the target.")
    var checkpoint: String?
    @Option(help: "The checkpoint's tokenizer (.bin).")
    var tokenizer: String?
    @Option(help: "Order of the target's n-gram model.")
    var order = 6
    @Option(help: "Order of the draft's n-gram model.")
    var draftOrder = 3
    @Option(help: "L, the length of a drafted path.")
    var lookahead = 4
    @Option(help: "Number of drafted paths.")
    var drafts = 2
    @Option(
        help:
            "The rule: maximal, gumbel (drafter-invariant), naive, kseq, specinfer, importance, importance-truncated, lp, max-flow or global-resolution. May be repeated."
    )
    var rule: [CouplingRule] = [.specinfer]
    @Option(help: "Number of tokens to decode.")
    var tokens = 200
    @Option(help: "Text to begin with.")
    var prompt = ""
    @Option(help: "Temperature of the target's laws.")
    var temperature = 1.0
    @Option(help: "Seed.")
    var seed: UInt64 = 0
    @Option(help: "τ of global-resolution.")
    var tolerance = 1e-3
    @Option(help: "s of importance-truncated.")
    var freeTokens = 16
    @Option(
        help:
            "Instead of decoding by a rule: the match probabilities of so many pairs of next-token laws (CWC, Figure 2)."
    )
    var pairs = 0
    @Flag(help: "Print a JSON object, or an array of them for several rules.")
    var json = false

    struct Report: Encodable {
        let rule: CouplingRule
        let drafts: Int
        let lookahead: Int
        let tokens: Int
        let targetCalls: Int
        let blockEfficiency: Double
        let acceptance: Double
        let fallbacks: Int
        /// Whether the tokens follow the target's law.
        let exact: Bool
        let seconds: Double
        let text: String

        enum CodingKeys: String, CodingKey {
            case rule, drafts, lookahead, tokens, acceptance, fallbacks, exact, seconds, text
            case targetCalls = "target_calls"
            case blockEfficiency = "block_efficiency"
        }
    }

    func validate() throws {
        guard pairs >= 0 else { throw ValidationError("--pairs is \(pairs); expected at least 0") }
        guard tokens >= 0 else { throw ValidationError("--tokens is \(tokens); expected at least 0") }
        guard (1...64).contains(order) else { throw ValidationError("--order is \(order); expected 1 to 64") }
        guard (1...64).contains(draftOrder) else {
            throw ValidationError("--draft-order is \(draftOrder); expected 1 to 64")
        }
        guard lookahead >= 1 else { throw ValidationError("--lookahead is \(lookahead); expected at least 1") }
        guard (1...4096).contains(drafts) else { throw ValidationError("--drafts is \(drafts); expected 1 to 4096") }
        guard temperature > 0, temperature.isFinite else {
            throw ValidationError("--temperature is \(temperature); expected a finite number above 0")
        }
        guard tolerance > 0, tolerance < 1 else {
            throw ValidationError("--tolerance is \(tolerance); expected 0 < τ < 1")
        }
        guard freeTokens >= 0 else { throw ValidationError("--free-tokens is \(freeTokens); expected at least 0") }
        guard text != nil || checkpoint != nil else { throw ValidationError("give --text or --checkpoint") }
        guard (checkpoint == nil) == (tokenizer == nil) else {
            throw ValidationError("--checkpoint and --tokenizer go together")
        }
        for name in rule where name == .minhash || name == .lowCommunication {
            throw ValidationError("--rule \(name.rawValue) is a coupling of two parties; decode knows gumbel for that")
        }
    }

    func run() throws {
        let reports = try checkpoint.map(decodeCheckpoint) ?? decodeText()
        if reports.isEmpty { return }
        guard json else {
            if reports.count == 1 { print(reports[0].text) }
            print(DecodeCommand.table(reports))
            return
        }
        print(reports.count == 1 ? try JSONFiles.line(reports[0]) : try JSONFiles.line(reports))
    }

    /// Both models are n-grams of the text's bytes.
    private func decodeText() throws -> [Report] {
        let path = text ?? ""
        let bytes = try readBytes(path)
        let vocabulary = ByteVocabulary(of: bytes)
        let encoded = try vocabulary.encode(bytes)
        let target = try NGramModel(
            order: order, vocabularySize: vocabulary.count, trainedOn: encoded, source: path)
        let draft = try NGramModel(
            order: draftOrder, vocabularySize: vocabulary.count, trainedOn: encoded, source: path)
        let start = try vocabulary.encode(Array(prompt.utf8))
        return try decode(target, draft, prompt: start, endTokens: []) { vocabulary.decode(start + $0) }
    }

    private func decodeCheckpoint(_ path: String) throws -> [Report] {
        let model = LlamaModel(try LlamaCheckpoint(path: path))
        let tokenizer = try LlamaTokenizer(path: tokenizer ?? "", vocabularySize: model.vocabularySize)
        let start = try tokenizer.encode(prompt)
        let lessons =
            try text.map { try tokenizer.encode(String(decoding: readBytes($0), as: UTF8.self)) }
            ?? ownWriting(model)
        let draft = try NGramModel(
            order: draftOrder, vocabularySize: model.vocabularySize, trainedOn: lessons, source: text ?? path)
        return try decode(model, draft, prompt: start, endTokens: [LlamaTokenizer.beginning]) {
            tokenizer.decode(start + $0)
        }
    }

    /// A few thousand tokens of the model's own, for a draft to learn from where there is no text.
    private func ownWriting(_ model: LlamaModel) throws -> [Int] {
        var model = model
        var written: [Int] = []
        var generator = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        for _ in 0..<16 {
            var story = [LlamaTokenizer.beginning]
            while story.count < min(256, model.checkpoint.contextLength) {
                let token = try model.nextDistribution(after: story).sample(using: &generator)
                if token == LlamaTokenizer.beginning { break }
                story.append(token)
            }
            written += story
        }
        return written
    }

    private func decode(
        _ target: some TokenModel, _ draft: some TokenModel, prompt: [Int], endTokens: Set<Int>,
        _ decodeText: ([Int]) -> String
    ) throws -> [Report] {
        let tempered = try TemperedModel(target, temperature: temperature)
        if pairs > 0 {
            try printPairs(tempered, draft, prompt: prompt)
            return []
        }
        let parameters = CouplingRule.Parameters(tolerance: tolerance, freeTokens: freeTokens)
        return try rule.map { name in
            var decoder = try SpeculativeDecoder(
                target: tempered, draft: draft, lookahead: lookahead, endTokens: endTokens)
            let begun = ContinuousClock.now
            let output: DecodingOutput
            if name == .gumbel {
                output = try decoder.decodeInvariantly(prompt: prompt, count: tokens) { position in
                    RandomSource(seed: seed).stream(sample: 0, step: position, purpose: .verification)
                }
            } else {
                var generator = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .verification)
                output = try decoder.decode(
                    prompt: prompt, count: tokens, paths: drafts,
                    rule: { try name.multiDraftRule($0, parameters) ?? NaiveRule($0) }, using: &generator)
            }
            let elapsed = (ContinuousClock.now - begun).components
            return Report(
                rule: name, drafts: name == .gumbel ? 1 : drafts, lookahead: lookahead, tokens: output.tokens.count,
                targetCalls: output.targetCalls, blockEfficiency: output.blockEfficiency,
                acceptance: output.acceptance, fallbacks: output.fallbacks, exact: output.isExact,
                seconds: Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18, text: decodeText(output.tokens))
        }
    }

    /// One row of CWC's Figure 2: how often two parties match without communication, and the bounds.
    struct Pair: Encodable {
        let distance: Double
        let maximal: Double
        let gumbel: Double
        let minhash: Double
        let bound: Double

        enum CodingKeys: String, CodingKey {
            case maximal, gumbel, minhash, bound
            case distance = "total_variation"
        }
    }

    /// Both models' laws along a text of the target's own.
    private func printPairs(_ target: some TokenModel, _ draft: some TokenModel, prompt: [Int]) throws {
        var target = target
        var draft = draft
        var context = prompt
        var rows: [Pair] = []
        var generator = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .verification)
        for _ in 0..<pairs {
            let q = try target.nextDistribution(after: context)
            let p = try draft.nextDistribution(after: context)
            let distance = try p.totalVariation(to: q)
            rows.append(
                Pair(
                    distance: distance, maximal: 1 - distance,
                    gumbel: try GumbelCoupling.matchProbability(draft: p, target: q),
                    minhash: try WeightedMinHashCoupling.matchProbability(draft: p, target: q),
                    bound: CommunicationFreeBound.matchProbability(totalVariation: distance)))
            context.append(q.sample(using: &generator))
        }
        if json { return print(try JSONFiles.line(rows)) }
        print("  distance    1 - D   Gumbel  MinHash    bound")
        for row in rows {
            print(
                String(
                    format: "%10.4f %8.4f %8.4f %8.4f %8.4f", row.distance, row.maximal, row.gumbel, row.minhash,
                    row.bound))
        }
    }

    private func readBytes(_ path: String) throws -> [UInt8] {
        do {
            return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw JSONFiles.Failure(description: "\(path): cannot be read: \(error.localizedDescription)")
        }
    }

    private static func table(_ reports: [Report]) -> String {
        let rows = reports.map { report in
            report.rule.rawValue.padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(
                    format: "%6d %6d %8d %8d %10.3f %10.3f %9.3f", report.drafts, report.lookahead, report.tokens,
                    report.targetCalls, report.blockEfficiency, report.acceptance, report.seconds)
                + (report.exact ? "" : "  not exact")
        }
        return (["rule                  drafts lookah.   tokens    calls tokens/call acceptance   seconds"] + rows)
            .joined(separator: "\n")
    }
}
