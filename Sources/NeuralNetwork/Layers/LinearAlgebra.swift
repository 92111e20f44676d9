import COpenBLAS
import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// OpenBLAS, one thread a call: the package's own threads call it side by side.
public enum LinearAlgebra {
    /// The processor core whose kernels OpenBLAS has chosen, for example "SkylakeX".
    public static var coreName: String {
        guard let name = openblas_get_corename() else { return "unknown" }
        return String(cString: name)
    }

    /// The variant of this package's own kernels in use: "avx512", "avx2" or "portable".
    public static var kernelName: String { String(cString: ds_variant_name()) }

    /// Done once, by the first use.
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    static func prepare() { _ = singleThreaded }

    /// C = α · A · B, or α · A · Bᵀ, row-major: A `[m, k]`, C `[m, n]`, rows `aStride`, `bStride`, `cStride` floats apart.
    static func multiply(
        _ a: UnsafePointer<Float>, aStride: Int, _ b: UnsafePointer<Float>, bStride: Int, transposeB: Bool,
        into c: UnsafeMutablePointer<Float>, cStride: Int, m: Int, n: Int, k: Int, alpha: Float = 1
    ) {
        cblas_sgemm(
            CblasRowMajor, CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(m), blasint(n), blasint(k), alpha, a, blasint(aStride), b, blasint(bStride), 0, c, blasint(cStride))
    }

    /// Makes OpenBLAS use its AVX-512 kernels on processors that have AVX-512 but are newer than this OpenBLAS, which takes its
    /// Haswell or Zen kernels there, at about half the speed. The choice is made when the library is loaded, so the program
    /// starts itself once more with `OPENBLAS_CORETYPE=SkylakeX`. Call it first thing in `main`; it returns if there is nothing
    /// to do, if the user has set `OPENBLAS_CORETYPE`, or if the restart fails.
    public static func restartWithBestCore() {
        #if os(Linux) && arch(x86_64)
            guard getenv("OPENBLAS_CORETYPE") == nil, ds_cpu_has_avx512() != 0,
                !["skylakex", "cooperlake", "sapphirerapids"].contains(coreName.lowercased())
            else { return }
            setenv("OPENBLAS_CORETYPE", "SkylakeX", 1)
            // The very arguments of this process, also those that are not UTF-8.
            execv("/proc/self/exe", CommandLine.unsafeArgv)
            unsetenv("OPENBLAS_CORETYPE")
        #endif
    }
}
