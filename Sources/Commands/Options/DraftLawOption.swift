import ArgumentParser
import FiniteAlphabets

/// `--draft-law`, of the commands on finite alphabets; `--draft` is everywhere else a draft's name.
struct DraftLawOption: ParsableArguments {
    @Option(help: .init("File with the draft's probabilities, p, a JSON array.", valueName: "file"))
    var draftLaw: String?

    @Option(name: .customLong("draft"), help: .hidden)
    var formerDraftLaw: String?

    var file: String? { draftLaw ?? formerDraftLaw }
}

/// How several tokens are drafted from one law.
struct DraftSchemeOption: ParsableArguments {
    @Option(
        help: .init(
            "How the drafts are drawn from p: \(DraftScheme.names) (the n - 1 likeliest, and one of the others).",
            valueName: "scheme"))
    var draftScheme: DraftScheme = .independent
}
