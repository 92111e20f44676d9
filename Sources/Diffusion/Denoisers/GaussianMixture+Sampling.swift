import Couplings

extension GaussianMixture {
    /// The paper's mixtures (DB25 App. I.2): means uniform in [-2, 2]^d, deviations uniform in [0.1, 0.2], equal weights.
    /// - Parameters:
    ///   - count: number of components.
    ///   - dimension: of the data.
    ///   - seed: the components are a function of it, of the dimension and of their index.
    public static func randomComponents(count: Int, dimension: Int, seed: UInt64) -> [Component] {
        let random = RandomSource(seed: seed)
        return (0..<count).map { index in
            var stream = random.stream(sample: index, step: dimension, purpose: .auxiliary)
            let mean = (0..<dimension).map { _ in 4 * stream.uniform() - 2 }
            return Component(mean: mean, standardDeviation: 0.1 + 0.1 * stream.uniform())
        }
    }

    /// Data: draws from the mixture itself, each a function of the source and its index.
    public func data(samples: Range<Int>, random: RandomSource) -> [[Double]] {
        samples.map { sample in
            var stream = random.stream(sample: sample, step: 0, purpose: .auxiliary)
            let component = components[component(at: stream.uniform())]
            let noise = stream.normals(dimension)
            return Vector.combine(1, component.mean, component.standardDeviation, noise)
        }
    }

    /// Index of the component that a number uniform in [0, 1) stands for.
    public func component(at uniform: Double) -> Int {
        var rest = uniform * components.reduce(0) { $0 + $1.weight }
        return components.firstIndex { component in
            rest -= component.weight
            return rest <= 0
        } ?? components.count - 1
    }

    /// The isotropic Gaussian of the mixture's mean and of its variance, averaged over the coordinates: the cheapest
    /// model of the same data.
    public var singleGaussian: Component {
        let total = components.reduce(0) { $0 + $1.weight }
        var mean = [Double](repeating: 0, count: dimension)
        for component in components { mean = Vector.combine(1, mean, component.weight / total, component.mean) }
        let variance = components.reduce(0) { sum, component in
            let shift = Vector.squaredNorm(Vector.combine(1, component.mean, -1, mean)) / Double(dimension)
            return sum + component.weight / total * (shift + component.standardDeviation * component.standardDeviation)
        }
        return Component(mean: mean, standardDeviation: variance.squareRoot())
    }
}
