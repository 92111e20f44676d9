import Couplings
import Diffusion
import Imaging
import Models

/// A way of sampling that has a row in the table.
struct Method {
    enum Kind {
        case plain
        /// Reflection, step by step, with a draft by its name.
        case reflection(DraftRecipe)
        /// Whole windows at once.
        case block(DraftRecipe)
        /// The recycled draft, with a second draft at some steps and a rule that decides between the two.
        case comb(any ListRule, Comb)
    }

    let name: String
    let kind: Kind
    /// nil without one.
    let window: Int?
    /// About how many rows it takes a step, for the time that is left.
    let rowsPerStep: Double
    let paint: Paint
    let marker: Figure.Marker

    /// Two drafts at each of the first 5 open steps, branches of depth 4.
    private static let comb = Comb(places: .first(5), depth: 4, sharesNoise: false)

    /// Every method for a chain of so many steps; a window beyond its end is one up to its end.
    /// - Parameter frozen: the draft that freezes what was asked last.
    static func all(steps: Int, frozen: DraftRecipe, hasCorrector: Bool) throws -> [Method] {
        var methods = [Method("plain", .plain, window: nil, rowsPerStep: 1, .muted, .diamond)]
        let window = min(20, steps)
        func reflection(_ name: String, window: Int, rowsPerStep: Double, _ paint: Paint, _ marker: Figure.Marker)
            throws
        {
            guard let draft = DraftRecipe(name) else { throw RecipeError("draft", "has no \(name).") }
            methods.append(
                Method(
                    "\(name), reflection", .reflection(draft), window: window, rowsPerStep: rowsPerStep, paint, marker))
        }
        try reflection(frozen.name, window: window, rowsPerStep: 4, .series(1), .disc)
        let longest = [10, 20, 40, 80].map { min($0, steps) }
        for (index, length) in longest.enumerated() where !longest[..<index].contains(length) {
            try reflection("recycled", window: length, rowsPerStep: 1 + Double(length) / 20, .series(0), .disc)
        }
        if hasCorrector { try reflection("corrected", window: window, rowsPerStep: 2.2, .series(6), .disc) }
        try reflection("broyden:4", window: window, rowsPerStep: 2, .series(2), .disc)
        try reflection("picard:1", window: window, rowsPerStep: 2.3, .series(3), .disc)
        try reflection("picard-deterministic:2", window: window, rowsPerStep: 26, .series(3), .square)
        methods.append(
            Method("recycled, block", .block(.recycled), window: window, rowsPerStep: 3, .series(0), .square))
        methods.append(
            Method("\(frozen.name), block", .block(frozen), window: window, rowsPerStep: 5, .series(1), .square))
        let combs: [(String, any ListRule, Figure.Marker)] = [
            ("D-GRS", GreedyListCoupling(), .triangle), ("PAWS", RankListCoupling(), .diamond),
            ("contest", ContestListCoupling(), .square), ("main-first", MainFirstCoupling(), .ring),
        ]
        for (name, rule, marker) in combs {
            methods.append(
                Method(
                    "recycled, comb, \(name)", .comb(rule, comb), window: window, rowsPerStep: 4, .series(5), marker))
        }
        // A rule that takes either draft as readily ends a window on a short branch half of the time. Two whole paths are the
        // smallest tree, in which both are worth the same.
        let paths = Comb(places: .first(1), depth: window, sharesNoise: false)
        for (name, rule, marker) in combs {
            methods.append(
                Method(
                    "recycled, two paths, \(name)", .comb(rule, paths), window: window, rowsPerStep: 4, .ink, marker))
        }
        return methods
    }

    private init(
        _ name: String, _ kind: Kind, window: Int?, rowsPerStep: Double, _ paint: Paint, _ marker: Figure.Marker
    ) {
        (self.name, self.kind, self.window, self.rowsPerStep) = (name, kind, window, rowsPerStep)
        (self.paint, self.marker) = (paint, marker)
    }

    /// How many of a model's samples it is tried on: what costs many times the rows of the others gets fewer.
    func count(of samples: Int) -> Int { rowsPerStep > 10 ? max(1, samples / 4) : samples }

    /// About how many rows a model's samples take: in long chains rejections are rarer.
    func rows(_ steps: Int, _ samples: Int) -> Double {
        let isSpeculative = rowsPerStep > 1 && rowsPerStep < 10
        return Double(count(of: samples) * steps) * (isSpeculative && steps > 300 ? rowsPerStep / 2 : rowsPerStep)
    }

    /// Runs samples on two threads.
    /// - Returns: what each has cost.
    func costs<Chain: GaussianChain>(
        of chain: Chain, samples: Int, random: RandomSource, companions: some DraftCompanions<Chain>,
        recordedBy recorded: RecordedChain<Chain>, overhead: Stopwatch
    ) throws -> [CountedCost] {
        func run(_ sampler: some Sampler<RecordedChain<Chain>>) throws -> [CountedCost] {
            try inParallel(samples, lanes: max(1, min(8, samples / 2)), overhead) { block in
                var costs: [(Int, CountedCost)] = []
                try sampler.run(samples: block, lanes: block.count) { costs.append(($0.sample, CountedCost($0.cost))) }
                return costs.sorted { $0.0 < $1.0 }.map(\.1)
            }
        }
        func draft(_ recipe: DraftRecipe) throws -> any Draft {
            guard let draft = try recipe.draft(over: chain, companions: companions) else {
                throw RecipeError("draft", "none is plain sampling.")
            }
            return draft
        }
        let length = try FixedWindow(window ?? 1)
        switch kind {
        case .plain: return try run(SequentialSampler(chain: recorded, random: random))
        case .reflection(let recipe):
            return try run(
                SpeculativeSampler(chain: recorded, draft: draft(recipe), window: length, random: random))
        case .block(let recipe):
            return try run(BlockSampler(chain: recorded, draft: draft(recipe), window: length, random: random))
        case .comb(let rule, let comb):
            var loop = CombLoop(chain: recorded, random: random, window: length.length, comb: comb)
            loop.rule = rule
            return try inParallel(samples, lanes: 1, overhead) { [loop] block in
                try block.map { try loop.run(sample: $0) }
            }
        }
    }
}
