import ArgumentParser
import Jobs

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Check the shards of a job, and join them.",
        discussion: """
            Takes the folders that diffspec sample --samples --shard i/n filled. All shards must be there, whole, of one \
            job, and every sample must be what it was when it was written. Without further options that is all; with them, \
            the results are those that a single process would have left, bit for bit.

            Examples:
              diffspec merge images                                          # are all shards in this folder sound?
              diffspec merge shard-* --samples images --tensors all.safetensors --report all.json
            """)

    @Argument(help: .init("Folders of shards, or their manifests.", valueName: "folder"))
    var folders: [String]

    @Option(help: .init("Folder for all the pictures, and the manifest of the whole job.", valueName: "dir"))
    var samples: String?

    @Option(help: .init("File for all the raw samples.", valueName: "file"))
    var tensors: String?

    @Option(help: .init("A picture of the first samples.", valueName: "grid.png"))
    var out: String?

    @OptionGroup var grid: GridOptions

    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        Interruption.watch()
        try result.check(pictures: [out], tensors: [tensors])
        try result.show(
            Merge.run(
                folders: folders, samples: samples, tensors: tensors, grid: out, gridStyle: grid.style(of: "sample"),
                monitor: result.console))
    }
}
