import CKernels
import Platform

/// What a random number is for. Part of its key, so that no two uses ever share a draw.
public enum RandomPurpose: UInt32, Sendable {
    /// The chain's first state `Y_0`.
    case initialState = 0
    /// The Gaussian increment `Z_k` of a step.
    case increment = 1
    /// The uniform `U_k` of a step's verification, and whatever else the rule draws after it.
    case verification = 2
    /// Everything outside the sampled chain: bootstraps, permutations, test data.
    case auxiliary = 3
}

/// All the randomness of a run: a function from (seed, sample, step, purpose) to a stream of numbers (DESIGN
/// conventions: always an argument, always keyed). What a sample draws depends neither on the batch, the window, the
/// thread nor on how often it is asked for (rule R2).
public struct RandomSource: Sendable {
    public let seed: UInt64
    /// A seed for each sample, in place of the one for all.
    private let seeds: [UInt64]?

    public init(seed: UInt64) {
        self.seed = seed
        seeds = nil
    }

    /// Samples with seeds of their own: sample i draws what sample 0 draws under the seed `seeds[i]`, whatever stands beside
    /// it.
    /// - Parameter seeds: at least as many as there will be samples.
    public init(seeds: [UInt64]) {
        seed = seeds.first ?? 0
        self.seeds = seeds
    }

    /// The stream of one sample at one step.
    /// - Parameters:
    ///   - sample: index of the sample, 0 up to 2⁵⁶ - 1.
    ///   - step: index of the step, 0 up to 2³² - 1.
    ///   - purpose: what the numbers are for; each purpose has a stream of its own.
    public func stream(sample: Int, step: Int, purpose: RandomPurpose) -> RandomStream {
        let seed = seeds?[sample] ?? seed
        let sample = seeds == nil ? UInt64(truncatingIfNeeded: sample) : 0
        return RandomStream(
            key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)),
            counter: SIMD4(
                0, UInt32(truncatingIfNeeded: step), UInt32(truncatingIfNeeded: sample),
                UInt32(truncatingIfNeeded: sample >> 32) & 0x00FF_FFFF | purpose.rawValue << 24))
    }

    /// The increment `Z_k` of a step: `dimension` independent standard normals.
    public func increment(sample: Int, step: Int, dimension: Int) -> [Double] {
        var stream = stream(sample: sample, step: step, purpose: .increment)
        return stream.normals(dimension)
    }
}

/// A sequence of random numbers: consecutive Philox blocks under one key.
public struct RandomStream: RandomNumberGenerator, Sendable {
    private let key: SIMD2<UInt32>
    private var counter: SIMD4<UInt32>
    /// The second half of the last block, while it is unused.
    private var spare: UInt64?

    fileprivate init(key: SIMD2<UInt32>, counter: SIMD4<UInt32>) {
        (self.key, self.counter) = (key, counter)
    }

    public mutating func next() -> UInt64 {
        if let word = spare {
            spare = nil
            return word
        }
        let block = Philox4x32.block(counter: counter, key: key)
        counter.x &+= 1
        spare = UInt64(block.w) << 32 | UInt64(block.z)
        return UInt64(block.y) << 32 | UInt64(block.x)
    }

    /// A uniform of the open interval (0, 1): the middles of 2⁵² equal parts. (One bit more, and the last would be rounded
    /// to 1.)
    public mutating func uniform() -> Double {
        (Double(next() >> 12) + 0.5) * 0x1p-52
    }

    /// The uniform that `uniform()` would give after `index` others, without drawing any.
    public func uniform(at index: Int) -> Double {
        var ahead = self
        if spare == nil || index > 0 {
            let words = spare == nil ? index : index - 1
            ahead.spare = nil
            ahead.counter.x &+= UInt32(truncatingIfNeeded: words / 2)
            if words % 2 == 1 { _ = ahead.next() }
        }
        return ahead.uniform()
    }

    /// The uniforms that `uniform()` would give next, without drawing any.
    public func uniforms(_ count: Int) -> [Double] {
        var ahead = self
        let words = [UInt64](unsafeUninitializedCapacity: count + count % 2) { words, initialized in
            ahead.fill(UnsafeMutableBufferPointer(rebasing: words[0..<count + count % 2]))
            initialized = count
        }
        return words.map { (Double($0 >> 12) + 0.5) * 0x1p-52 }
    }

    /// Independent standard normals, by Box and Muller's transform of two numbers each.
    public mutating func normals(_ count: Int) -> [Double] {
        let pairs = (count + 1) / 2
        return [Double](unsafeUninitializedCapacity: 2 * pairs) { values, initialized in
            values.withMemoryRebound(to: UInt64.self) { fill($0) }
            ds_box_muller(
                UnsafeRawPointer(values.baseAddress)?.assumingMemoryBound(to: UInt64.self), pairs, values.baseAddress)
            initialized = count
        }
    }

    /// What as many calls of `next` give; an even number of words.
    private mutating func fill(_ words: UnsafeMutableBufferPointer<UInt64>) {
        guard spare == nil else {  // the halves of the blocks lie the other way round
            for i in words.indices { words.initializeElement(at: i, to: next()) }
            return
        }
        let blocks = words.count / 2
        withUnsafeBytes(of: counter) { counter in
            withUnsafeBytes(of: key) { key in
                ds_philox(
                    counter.baseAddress?.assumingMemoryBound(to: UInt32.self),
                    key.baseAddress?.assumingMemoryBound(to: UInt32.self), blocks, words.baseAddress)
            }
        }
        counter.x &+= UInt32(truncatingIfNeeded: blocks)
    }
}
