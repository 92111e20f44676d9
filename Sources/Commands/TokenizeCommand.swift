import ArgumentParser
import Jobs

struct TokenizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenize",
        abstract: "Say which tokens CLIP's text encoder reads for a text.",
        discussion: """
            The folder holds vocab.json and merges.txt, or tokenizer.json, and perhaps tokenizer_config.json and \
            special_tokens_map.json. Texts are cut or padded to model_max_length, 77 where that is not said. With --json \
            the result is an array of {text, ids}.
            """)

    @Argument(help: .init("The tokenizer's folder.", valueName: "dir"))
    var folder: String

    @Argument(help: .init("The texts; those that begin with a dash stand behind --.", valueName: "text"))
    var texts: [String]

    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        try result.check()
        try result.show(Tokenization(folder: folder, texts: texts))
    }
}
