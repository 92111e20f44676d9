import Diffusion
import Foundation
import Synchronization

/// A chain that notes what it is asked. Samples may share calls: each call counts as one of every sample that has a row in it, of
/// that sample's rows.
struct RecordedChain<Base: GaussianChain>: GaussianChain {
    let base: Base
    let log = CallLog()

    var stepCount: Int { base.stepCount }
    var dimension: Int { base.dimension }
    var rowsPerQuery: Int { base.rowsPerQuery }
    var layout: StateLayout { base.layout }
    var predictionBounds: ClosedRange<Double>? { base.predictionBounds }

    func transition(at step: Int) -> GaussianTransition { base.transition(at: step) }
    func initialState(sample: Int, noise: [Double]) -> [Double] { base.initialState(sample: sample, noise: noise) }
    func mean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        base.mean(step: step, state: state, prediction: prediction)
    }
    func deterministicMean(step: Int, state: [Double], prediction: [Double]) -> [Double] {
        base.deterministicMean(step: step, state: state, prediction: prediction)
    }
    func priorPrediction(sample: Int) -> [Double]? { base.priorPrediction(sample: sample) }

    func predictions(for queries: [ChainQuery]) throws -> [[Double]] {
        let start = processorSeconds()
        let predictions = try base.predictions(for: queries)
        log.record(queries, seconds: processorSeconds() - start)
        return predictions
    }
}

/// The queries of every call, sample by sample, and the time of them all.
final class CallLog: Sendable {
    private let content = Mutex<(calls: [Int: [Int]], seconds: Double)>(([:], 0))

    fileprivate func record(_ queries: [ChainQuery], seconds: Double) {
        var rows: [Int: Int] = [:]
        for query in queries { rows[query.sample, default: 0] += 1 }
        content.withLock {
            for (sample, count) in rows { $0.calls[sample, default: []].append(count) }
            $0.seconds += seconds
        }
    }

    /// Of each sample that was asked about.
    var calls: [[Int]] { content.withLock { log in log.calls.keys.sorted().compactMap { log.calls[$0] } } }
    var seconds: Double { content.withLock { $0.seconds } }
}

/// What this thread has had of a processor, whatever else ran beside it.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}
