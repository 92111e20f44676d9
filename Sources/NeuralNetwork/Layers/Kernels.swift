import CKernels

/// The loops in C that the layers run on.
public enum Kernels {
    /// The variant in use on this processor: "avx512", "avx2" or "portable".
    public static var name: String { String(cString: ds_variant_name()) }
}
