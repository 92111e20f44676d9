import Diffusion

/// A network for pictures as a denoiser: states go in as `Float` rows, and whatever it predicts comes back as `x̂0` in
/// `Double`.
public struct ImageDenoiser: Denoiser {
    let network: any ImageNetwork
    let process: ImageProcess
    let threads: Int
    /// What of a picture is kept: there it is the prediction.
    var start: StartingPicture?

    public var dimension: Int { process.picture.size }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let output = try network.predict(
            sample: process.noise.samples(queries, dimension: dimension), batch: queries.count,
            height: process.picture.height, width: process.picture.width, timesteps: process.noise.timesteps(queries),
            labels: try process.labels(of: queries.map(\.condition), count: network.labelCount), threads: threads)
        var predictions = process.noise.denoised(queries, output: output)
        if let start, let isKept = start.isKept {
            for row in predictions.indices {
                for index in isKept.indices where isKept[index] { predictions[row][index] = start.sample[index] }
            }
        }
        return predictions
    }
}

extension ImageProcess {
    /// What a network is told of its rows' classes; nil if it has none.
    /// - Parameter count: the network's labels.
    /// - Throws: `DiffusionError` where a row has no class and the model no label for that.
    package func labels(of conditions: [Condition], count: Int) throws(DiffusionError) -> [Int]? {
        guard count > 0 else { return nil }
        var labels: [Int] = []
        for condition in conditions {
            switch (condition, nullClass) {
            case (.label(let label), _), (.none, let label?): labels.append(label)
            default:
                throw DiffusionError(
                    "class", expected: "a label, for this model has none for \"no class\"", found: "none",
                    remedy: "name one, and no guidance")
            }
        }
        return labels
    }
}
