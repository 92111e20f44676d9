/// A small seeded generator (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// Being a value, it can be copied: two parties holding equal copies hold the same public random numbers.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    /// The stream of one (seed, position, purpose): the key is mixed in word by word.
    public init(seed: UInt64, position: UInt64, purpose: UInt64 = 0) {
        var mixer = SplitMix64(seed: seed)
        mixer.state = mixer.next() ^ position
        mixer.state = mixer.next() ^ purpose
        state = mixer.next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
