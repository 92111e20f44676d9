import Foundation
import Models
import Statistics

/// About what memory a run of samples takes: an error before the work is better than the system's end of it, and a model
/// folder may name images of any size.
struct MemoryNeed: Error, CustomStringConvertible {
    let bytes: Double
    let available: Double
    let picture: String

    var description: String {
        func gigabytes(_ bytes: Double) -> String { (bytes / 1e9).formatted(digits: 1) }
        return
            "samples of \(picture) would take about \(gigabytes(bytes)) GB of memory, and this machine has \(gigabytes(available)); fewer samples at a time, or shorter windows, take less"
    }

    /// - Parameters:
    ///   - lanes: samples under way at a time.
    ///   - window: the longest.
    /// - Throws: what is needed, if the machine hasn't got so much.
    static func check(of model: ImageModel, lanes: Int, window: Int) throws {
        let need = MemoryNeed(of: model, lanes: lanes, window: window)
        if need.bytes > need.available { throw need }
    }

    static func check(of model: ImageModel, _ request: SampleRequest) throws {
        let (speculation, steps) = (request.recipe.speculation, request.recipe.chain.steps)
        try check(
            of: model, lanes: request.lanes,
            window: speculation.draft == .none ? 0 : speculation.window.longest(steps: steps))
    }

    private init(of model: ImageModel, lanes: Int, window: Int) {
        let format = model.picture
        let rows = Double(lanes) * Double(window + 1)
        // Of each row the state, its noise, mean, evaluation and prediction in double precision, and the network's copies.
        let states = rows * Double(format.size) * 56
        // Of one row its activations, as the network counts them when it bounds the rows that go through together.
        let channels = Double(model.network.widestChannels)
        let activations = 64 * Double(format.height * format.width) * channels
        bytes = states + activations
        available = Double(ProcessInfo.processInfo.physicalMemory)
        picture = "\(format.channels)×\(format.height)×\(format.width)"
    }
}
