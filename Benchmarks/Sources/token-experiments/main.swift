// The experiments of IW, GR and CWC on laws recorded from a pair of language models:
//
//   token-experiments LAWS.safetensors FOLDER
//
// LAWS is what `weights/training/record_laws.py` writes; FOLDER gets `experiments.md` and its pictures. One thread; some minutes.
import Foundation

func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let duration = try ContinuousClock().measure(body)
    return Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}

func number(_ value: Double, _ digits: Int = 3) -> String { String(format: "%.\(digits)f", value) }

func report(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }

guard CommandLine.arguments.count == 3 else {
    report("usage: token-experiments LAWS.safetensors FOLDER")
    exit(64)
}
do {
    let folder = CommandLine.arguments[2]
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let laws = try RecordedLaws(path: CommandLine.arguments[1])
    let parts = [
        try Acceptance(laws: laws).write(to: folder), try SolveTimes(laws: laws).write(to: folder),
        try EffectiveAlphabets(laws: laws).write(to: folder), try MatchProbabilities(laws: laws).write(to: folder),
        try ThreeTokens().write(to: folder),
    ]
    let head = """
        # The papers' experiments on recorded laws

        `token-experiments LAWS.safetensors FOLDER` made this page from \(laws.count) pairs of next-token laws on \(laws.vocabularySize) tokens, along
        texts that the target writes: `weights/training/record_laws.py TARGET DRAFT TEXT LAWS.safetensors`, of the pair `weights/tokens/kjv` and
        `weights/tokens/kjv-draft` for the page that is committed. Times on a virtual Zen 4 beside other work.
        """
    try (([head] + parts).joined(separator: "\n\n") + "\n").write(
        toFile: folder + "/experiments.md", atomically: true, encoding: .utf8)
} catch {
    report("error: \(error)")
    exit(1)
}
