import ArgumentParser

/// `--draft-law`, of the commands on finite alphabets; `--draft` is everywhere else a draft's name.
struct DraftLawOption: ParsableArguments {
    @Option(help: .init("File with the draft's probabilities, p, a JSON array.", valueName: "file"))
    var draftLaw: String?

    @Option(name: .customLong("draft"), help: .hidden)
    var formerDraftLaw: String?

    var file: String? { draftLaw ?? formerDraftLaw }
}
