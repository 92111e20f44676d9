/// Philox 4×32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as
/// 1, 2, 3", SC 2011): 128 random bits as a pure function of a counter and a key. No state means that any draw can be
/// had again, which is what pins the noise of a step (rule R2).
public enum Philox4x32 {
    private static let multipliers: (UInt32, UInt32) = (0xD251_1F53, 0xCD9E_8D57)
    private static let weyl: (UInt32, UInt32) = (0x9E37_79B9, 0xBB67_AE85)

    /// The four words at `counter` under `key`.
    public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        var (word, key) = (counter, key)
        for round in 0..<10 {
            if round > 0 { key = nextKey(key) }
            word = mix(word, key)
        }
        return word
    }

    private static func nextKey(_ key: SIMD2<UInt32>) -> SIMD2<UInt32> {
        SIMD2(key.x &+ weyl.0, key.y &+ weyl.1)
    }

    private static func mix(_ word: SIMD4<UInt32>, _ key: SIMD2<UInt32>) -> SIMD4<UInt32> {
        let (high0, low0) = multipliers.0.multipliedFullWidth(by: word.x)
        let (high1, low1) = multipliers.1.multipliedFullWidth(by: word.z)
        return SIMD4(high1 ^ word.y ^ key.x, low1, high0 ^ word.w ^ key.y, low0)
    }
}
