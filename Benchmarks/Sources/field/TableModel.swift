import Couplings
import Diffusion
import Models
import NeuralNetwork

/// A model of the table: its chains, and how many samples of each.
struct TableModel<Chain: GaussianChain, Companions: DraftCompanions<Chain>> {
    let name: String
    /// What a reader has to know of it.
    let note: String
    let cells: [(steps: Int, samples: Int)]
    /// The published draft, or one that stands for it where that one ends in infinities.
    var frozen = DraftRecipe.frozen
    let hasCorrector: Bool
    /// Of so many steps, for so many samples. One by itself has two threads, of many each has one.
    let chain: (_ steps: Int, _ samples: Int) throws -> Chain
    let companions: (Chain, _ steps: Int) throws -> Companions

    func methods(steps: Int) throws -> [Method] {
        try Method.all(steps: steps, frozen: frozen, hasCorrector: hasCorrector)
    }

    /// The same with a share of the samples; what has none left is left out.
    func sharing(_ share: Double) -> Self {
        let fewer = cells.map { ($0.steps, samples: Int((Double($0.samples) * share).rounded())) }
        return TableModel(
            name: name, note: note, cells: fewer.filter { $0.samples > 0 }, frozen: frozen, hasCorrector: hasCorrector,
            chain: chain,
            companions: companions)
    }

    /// About how many rows all of its part of the table takes.
    func rows() throws -> Double {
        try cells.reduce(0) { sum, cell in
            try methods(steps: cell.steps).reduce(sum) { $0 + $1.rows(cell.steps, cell.samples) }
        }
    }
}

/// The models of the table.
enum TableModels {
    static let seed: UInt64 = 1
    /// The published step size of the φ⁴ chain.
    private static let stepSize = 1e-3

    private static func threads(_ samples: Int) -> Int { samples == 1 ? 2 : 1 }

    static func image(
        _ name: String, cells: [(steps: Int, samples: Int)]
    ) throws -> TableModel<DenoisingChain, ImageCompanions> {
        let model = try ImageModel(named: name)
        func recipe(_ steps: Int) -> SamplingRecipe { SamplingRecipe(chain: ChainRecipe(steps: steps)) }
        return TableModel(
            name: name,
            note:
                "\(model.picture.channels)×\(model.picture.height)×\(model.picture.width) numbers. Reverse SDE, churn 0.25, all "
                + "classes in turn.", cells: cells,
            hasCorrector: ImageCompanions.names(of: name).contains { companion in
                guard let folder = try? BundledModels.folder(companion) else { return false }
                return CorrectionNetwork.isOne(folder: folder)
            },
            chain: { steps, samples in
                try model.chain(recipe(steps).chain, subjects: [], threads: threads(samples))
            },
            companions: { chain, steps in model.companions(of: chain, recipe(steps), threads: 1) })
    }

    static func mixture(
        _ name: String, cells: [(steps: Int, samples: Int)]
    ) throws -> TableModel<DenoisingChain, NoCompanions<DenoisingChain>> {
        let model = try MixtureModel(named: name)
        return TableModel(
            name: name,
            note:
                "\(model.law.components.count) Gaussians in \(model.dimension) dimensions, by a network. Reverse SDE, churn 0.25.",
            cells: cells,
            hasCorrector: false,
            chain: { steps, samples in
                let labels = model.labels(count: samples, random: RandomSource(seed: seed))
                return try model.chain(ChainRecipe(steps: steps), subjects: labels, threads: threads(samples))
            }, companions: { _, _ in NoCompanions() })
    }

    static func phi4(
        cells: [(steps: Int, samples: Int)]
    ) throws -> TableModel<LangevinChain, EnergyCompanions<LangevinChain>> {
        let energy = try Energy.phi4(side: 8, coupling: 100)
        return TableModel(
            name: "phi4",
            note:
                "φ⁴ on 8 × 8 sites, β = 100: Langevin dynamics at γ = \(stepSize), its first K steps from standard normals. "
                + "A gradient costs less than drafting, so that no seconds are to be gained. The published draft freezes the stiff "
                + "coupling too and ends in infinities ([phi4.md](../langevin/phi4.md)); frozen-denoiser leaves it exact.",
            cells: cells, frozen: .frozenDenoiser, hasCorrector: false,
            chain: { steps, _ in try LangevinChain(energy: energy, stepCount: steps, stepSize: stepSize) },
            companions: { chain, _ in EnergyCompanions(chain: chain, energy: energy) })
    }

    /// A policy's own chain has as many steps as its training, at most; beyond them there is the reverse SDE of the same process.
    static func policy(
        _ name: String, cells: [(steps: Int, samples: Int)]
    ) throws -> TableModel<DenoisingChain, NoCompanions<DenoisingChain>> {
        let model = try PolicyModel(named: name)
        let trainingSteps = model.noise.ancestral?.betas.trainingSteps ?? 0
        let file = try SafetensorsFile(path: model.folder + "/case.safetensors")
        let size = model.network.configuration.conditionDimension
        let values = try file.floats(named: "global_cond")
        let conditions = stride(from: 0, to: values.count - size + 1, by: size).map { Array(values[$0..<$0 + size]) }
        return TableModel(
            name: name,
            note:
                "\(model.summary). Its DDPM up to the \(trainingSteps) steps of its training, beyond them the reverse SDE at "
                + "churn 1; the \(conditions.count) observations of its case file in turn.",
            cells: cells, hasCorrector: false,
            chain: { steps, samples in
                let recipe = ChainRecipe(kind: steps > trainingSteps ? .sde : .ddpm, steps: steps, churn: 1)
                return try model.chain(recipe, conditions: conditions, threads: threads(samples))
            }, companions: { _, _ in NoCompanions() })
    }
}
