import ArgumentParser
import Foundation
import Jobs
import Models

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Serve a robot policy: observations in, planned actions out, as JSON lines.",
        discussion: """
            Reads a request a line on stdin and answers each with a line on stdout, at once, until stdin ends. The \
            observations are in the units of the training data, oldest first, as are the actions:

              {"observation": [[…], […]], "seed": 7, "id": "any"}
              {"actions": [[x, y], …], "nfe": 11, "evaluations": 190, "milliseconds": 12.3, "seed": 7, "precision": "f32", "exact": true, "id": "any"}

            A LeRobot policy's observations come by name, each feature with its values at the latest steps; a picture is a \
            path, {"base64": "…"} or {"shared_memory": "/name", "offset": 0}:

              {"observation": {"observation.state": [[…], […]], "observation.image": ["a.png", "b.png"]}}

            With "session": "name" a plan starts from what is left of that session's last one, of which "executed" actions \
            have been taken; its law stays the same.

            Several observations at once, as a list, are planned side by side with their rows in the same network calls; \
            "seed" is then a list too, or one for all, and "actions", "nfe", "evaluations" and "seed" are lists. What is \
            planned for an observation is a function of its seed and of nothing beside it (but with --window auto it depends \
            on the clock). Without "seed", plans take --seed, --seed + 1, … A line that cannot be answered is answered with \
            {"error": "…"}.

            Examples:
              diffspec policy --model pusht --steps 100 --window 20
              diffspec policy --model path/to/policy --draft none     # plain sampling
              diffspec policy --model path/to/pretrained_model --socket /tmp/policy   # LeRobot's, for many clients
            """)

    @Option(help: .init("Policy folder, or a bundled policy's name.", valueName: "dir|name"))
    var model = "pusht"

    @Option(
        parsing: .unconditional,
        help: .init(
            "Number of steps K, at most as many as in training (default: 100; of a LeRobot folder what it says).",
            valueName: "K"))
    var steps: Int?

    @Option(
        help: .init(
            "ddpm, or ddim, which has noise to speculate on with --eta alone (default: ddpm; of a LeRobot folder its scheduler).",
            valueName: "chain"))
    var chain: ChainRecipe.Kind?

    @Option(
        parsing: .unconditional,
        help: .init("Noise of --chain ddim, from 0 (none, with --draft none) to 1 (that of ddpm).", valueName: "η"))
    var eta = 0.0

    @Option(help: .init("Serve the clients of a Unix socket at this path, and not stdin.", valueName: "path"))
    var socket: String?

    @Option(help: "Which of the training steps are taken where K is less (default: what the model's scheduler says).")
    var spacing: ChainRecipe.TrainingSpacing?

    @OptionGroup var precision: PrecisionOption
    @OptionGroup(title: "Speculation") var speculation: SpeculationOptions
    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption

    @Flag(help: "Print nothing but answers and errors.")
    var quiet = false

    private var recipe: PolicyRecipe {
        var recipe = PolicyRecipe()
        recipe.model = model
        (recipe.steps, recipe.kind, recipe.eta, recipe.trainingSpacing) = (steps, chain, eta, spacing)
        recipe.precision = precision.precision.resolved
        recipe.speculation = speculation.recipe
        (recipe.seed, recipe.threads) = (seed.seed, threads.threads)
        return recipe
    }

    func validate() throws { try checkingUsage(recipe.validate) }

    func run() throws {
        Interruption.watch()
        let server = try PolicyServer(recipe, monitor: Console(isQuiet: quiet))
        if let socket {
            try server.serve(socket: socket) {
                if !quiet { print("listening at \(socket)") }
                fflush(nil)
            }
        } else {
            try server.serve()
        }
    }
}
