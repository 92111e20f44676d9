import CKernels

/// What a network's large products multiply. Their sums are in single precision, as is everything else.
public enum Precision: String, Sendable, CaseIterable, Codable {
    /// Single precision.
    case f32
    /// Sixteen bits, of which seven are the significand's: weights and what meets them are rounded to nearest even, and take
    /// half the memory. A product of two is exact in single precision, where it is added. The law of what is sampled is that
    /// of the rounded network.
    case bf16

    /// The precision whose products are the fastest on this processor.
    public static var fastest: Precision { ds_bf16_is_native() != 0 ? .bf16 : .f32 }

    /// The kernels' name for it.
    var code: Int32 { self == .f32 ? Int32(DS_F32) : Int32(DS_BF16) }

    /// Words of 32 bits, a `Float`'s size, that so many numbers take.
    func words(_ count: Int) -> Int { self == .f32 ? count : (count + 1) / 2 }

    /// Behind a layer's name in a profile.
    var suffix: String { self == .f32 ? "" : ", \(rawValue)" }
}
