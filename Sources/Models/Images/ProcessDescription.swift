/// `process.json`: what a diffusers folder of ours says beyond its network, namely the diffusion process that it was
/// trained for and what it shows.
struct ProcessDescription: Decodable {
    struct Image: Decodable {
        let height: Int
        let width: Int
        let channels: Int
        let range: [Double]?
    }

    /// `cosine`, `flow`, `vp-linear` or `ve`.
    let schedule: String
    /// A `PredictionKind`, or "correction" for the network of a corrected draft.
    let prediction: String
    /// The network's time input is this times `t`.
    let time_scale: Double
    let image: Image
    let classes: [String]?
    /// The label trained as "no class".
    let null_class: Int?
    /// Rates of `vp-linear`.
    let beta_min: Double?
    let beta_max: Double?
    /// The largest noise of `ve`.
    let sigma_max: Double?
    /// Of a network of `ve` that sees it scaled (EDM): the data's deviation. The network is then told `¼ ln σ` for the time, and
    /// `time_scale` is without effect.
    let sigma_data: Double?
}
