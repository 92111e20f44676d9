import CKernels
import Foundation
@testable import NeuralNetwork
import Testing

/// Loops in C beside their definitions in double precision.
@Suite struct KernelTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        let heads, channels, queries, keys: Int
        var isCausal = false

        var testDescription: String {
            "\(heads) heads of \(channels), \(queries) queries, \(keys) keys\(isCausal ? ", causal" : "")"
        }
    }

    /// softmax(Q Kᵀ / √d) V, whatever part of a vector the channels of a head or the keys leave over; more keys than a block of
    /// scores holds of rows, and rows that would fall into the same cache sets.
    @Test(arguments: [
        Shape(heads: 3, channels: 40, queries: 61, keys: 77), Shape(heads: 1, channels: 16, queries: 5, keys: 3),
        Shape(heads: 2, channels: 7, queries: 57, keys: 33), Shape(heads: 2, channels: 64, queries: 60, keys: 1024),
        Shape(heads: 2, channels: 24, queries: 77, keys: 77, isCausal: true),
    ])
    func attentionIsItsDefinition(_ shape: Shape) {
        var random = SplitMix(state: UInt64(shape.keys))
        let (images, inner) = (2, shape.heads * shape.channels)
        let stride = (inner + 15) / 16 * 16
        func numbers(_ rows: Int) -> [Float] {
            (0..<images * rows * stride).map { _ in Float.random(in: -2..<2, using: &random) }
        }
        let (queries, keys, values) = (numbers(shape.queries), numbers(shape.keys), numbers(shape.keys))
        var found = [Float](repeating: 7, count: images * shape.queries * stride)
        let heads = AttentionHeads(count: shape.heads, channels: shape.channels, isCausal: shape.isCausal)
        let pass = Pass(workspace: Workspace(threads: 2), rows: 0..<images, capacity: images)
        found.withUnsafeMutableBufferPointer { found in
            queries.withUnsafeBufferPointer { queries in
                keys.withUnsafeBufferPointer { keys in
                    values.withUnsafeBufferPointer { values in
                        guard let q = queries.baseAddress, let k = keys.baseAddress, let v = values.baseAddress,
                            let out = found.baseAddress
                        else { return }
                        heads(
                            queries: .init(pointer: q, stride: stride, count: shape.queries),
                            keys: .init(pointer: k, stride: stride, count: shape.keys),
                            values: .init(pointer: v, stride: stride, count: shape.keys), images: images, into: out,
                            stride: stride, pass)
                    }
                }
            }
        }
        var largest = 0.0
        for image in 0..<images {
            for query in 0..<shape.queries {
                for head in 0..<shape.heads {
                    func row(_ of: [Float], _ index: Int, _ count: Int) -> [Double] {
                        let first = (image * count + index) * stride + head * shape.channels
                        return of[first..<first + shape.channels].map(Double.init)
                    }
                    let wanted = row(queries, query, shape.queries)
                    let seen = shape.isCausal ? query + 1 : shape.keys
                    let weights = (0..<seen).map { key in
                        exp(
                            zip(wanted, row(keys, key, shape.keys)).reduce(0) { $0 + $1.0 * $1.1 }
                                / Double(shape.channels).squareRoot())
                    }
                    let total = weights.reduce(0, +)
                    let mean = (0..<shape.channels).map { channel in
                        (0..<seen).reduce(0) { $0 + weights[$1] * row(values, $1, shape.keys)[channel] } / total
                    }
                    for (found, wanted) in zip(row(found, query, shape.queries), mean) {
                        largest = max(largest, abs(found - wanted))
                    }
                }
            }
            // What stands beside the heads' channels is nobody's.
            let last = image * shape.queries * stride
            #expect(found[last + inner..<last + stride].allSatisfy { $0 == 7 })
        }
        // Scores go up to 40; half a unit in their last place is a share of 2e-6 of a weight.
        #expect(largest < 2e-5)
    }

    /// x Φ(x) to a unit or two in the last place of what is added up, and with its digits where it is small.
    @Test func geluIsItsDefinition() {
        let x = (-320...320).map { Float($0) / 32 }
        let count = 656  // a multiple of the channel step
        var rows = [Float](repeating: 1, count: count)  // the values
        rows += x + [Float](repeating: 0, count: count - x.count)  // the gates
        var found = [Float](repeating: 0, count: count)
        ds_gated_gelu(rows, 1, count, &found, count)
        for (x, found) in zip(x, found) {
            let wanted = Double(x) * 0.5 * erfc(-Double(x) / 2.0.squareRoot())
            // exp(-x²/2) makes of an error of half a unit in x²/2 a relative one x²/2 times as large.
            let relative = 4e-7 + Double(x * x) / 2 * 1.2e-7
            #expect(abs(Double(found) - wanted) <= relative * abs(wanted) + 1e-37)
        }
    }

    @Test(arguments: [1, 15, 64, 67, 288]) func normalisationByTheMeanSquare(channels: Int) {
        var random = SplitMix(state: UInt64(channels))
        let (rows, stride) = (3, (channels + 15) / 16 * 16)
        var (x, weight) = ([Float](repeating: 0, count: rows * stride), [Float](repeating: 0, count: stride))
        for c in 0..<channels {
            weight[c] = Float.random(in: -1..<1, using: &random)
            for row in 0..<rows { x[row * stride + c] = Float.random(in: -9..<9, using: &random) }
        }
        var found = [Float](repeating: .nan, count: rows * stride)
        ds_rms_norm(x, rows, stride, channels, weight, 1e-3, &found, stride)
        for row in 0..<rows {
            let values = x[row * stride..<(row + 1) * stride].map(Double.init)
            let scale = 1 / (values.reduce(0) { $0 + $1 * $1 } / Double(channels) + 1e-3).squareRoot()
            for c in 0..<stride {
                let wanted = values[c] * scale * Double(weight[c])
                // Three roundings.
                #expect(abs(Double(found[row * stride + c]) - wanted) <= 4 * 6e-8 * abs(wanted))
            }
        }
    }

    @Test func gatesBySiLU() {
        let (rows, channels) = (2, 32)
        let x = (0..<rows * 2 * channels).map { Float($0 % 37) / 3 - 6 }
        var found = [Float](repeating: .nan, count: rows * channels)
        ds_gated_silu(x, rows, 2 * channels, channels, &found, channels)
        for row in 0..<rows {
            for c in 0..<channels {
                let gate = Double(x[2 * row * channels + c])
                let wanted = gate / (1 + exp(-gate)) * Double(x[(2 * row + 1) * channels + c])
                #expect(abs(Double(found[row * channels + c]) - wanted) <= 1e-6 * abs(wanted) + 1e-7)
            }
        }
    }

    /// The positions behind the prefix that are left out count for nothing, whatever they hold.
    @Test(arguments: [(1, []), (16, []), (37, []), (5, [5]), (20, [21, 22, 40]), (3, [50])] as [(Int, [UInt32])])
    func attentionToSomePositions(prefix: Int, others: [UInt32]) {
        var random = SplitMix(state: UInt64(prefix))
        let (channels, positions, heads) = (32, 64, 2)
        let slot = heads * channels
        func numbers(_ count: Int) -> [Float] { (0..<count).map { _ in Float.random(in: -2..<2, using: &random) } }
        let (query, keys, values) = (numbers(channels), numbers(positions * slot), numbers(positions * slot))
        let seen = Array(0..<prefix) + others.map(Int.init)
        let head = 1
        func run(_ keys: [Float], _ values: [Float]) -> [Float] {
            var blocks = [Float](repeating: .nan, count: positions * slot)
            for position in 0..<positions {
                for c in 0..<slot {
                    blocks[(position / 16 * slot + c) * 16 + position % 16] = keys[position * slot + c]
                }
            }
            var (scores, out) = ([Float](repeating: .nan, count: 80), [Float](repeating: .nan, count: channels))
            blocks.withUnsafeBufferPointer { blocks in
                values.withUnsafeBufferPointer { values in
                    others.withUnsafeBufferPointer { others in
                        guard let keyBase = blocks.baseAddress, let valueBase = values.baseAddress else { return }
                        var attention = ds_attention(
                            keys: keyBase + head * channels * 16, keyStride: slot * 16,
                            values: valueBase + head * channels, valueStride: slot, channels: channels,
                            prefix: prefix, others: others.baseAddress, otherCount: others.count, scale: 0.3)
                        ds_attend(&attention, query, &scores, &out)
                    }
                }
            }
            return out
        }
        let found = run(keys, values)
        let weights = seen.map { position in
            exp(
                0.3
                    * (0..<channels).reduce(0.0) {
                        $0 + Double(query[$1]) * Double(keys[position * slot + head * channels + $1])
                    })
        }
        for c in 0..<channels {
            let wanted = zip(seen, weights).reduce(0.0) {
                $0 + $1.1 / weights.reduce(0, +) * Double(values[$1.0 * slot + head * channels + c])
            }
            // Scores of up to some tens, whose last units the exponential makes relative errors of.
            #expect(abs(Double(found[c]) - wanted) <= 1e-5)
        }
        // In the first places, and beside others.
        var (moved, movedValues) = (numbers(positions * slot), numbers(positions * slot))
        for (place, position) in seen.enumerated() {
            moved.replaceSubrange(
                place * slot..<(place + 1) * slot, with: keys[position * slot..<(position + 1) * slot])
            movedValues.replaceSubrange(
                place * slot..<(place + 1) * slot, with: values[position * slot..<(position + 1) * slot])
        }
        var attention: [Float] = []
        if others.isEmpty { attention = run(moved, movedValues) }
        #expect(others.isEmpty ? attention == found : true)
    }
}
