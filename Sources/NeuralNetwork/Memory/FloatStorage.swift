#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Floats at a cache line's boundary (a large page's when there are many), written once and then only read.
final class FloatStorage: Sendable {
    let count: Int
    nonisolated(unsafe) let pointer: UnsafePointer<Float>

    /// `count` floats, which `fill` must initialise; it gets them zeroed.
    init(count: Int, fill: (UnsafeMutableBufferPointer<Float>) -> Void = { _ in }) {
        let memory = alignedFloats(count)
        fill(UnsafeMutableBufferPointer(start: memory, count: count))
        self.count = count
        pointer = UnsafePointer(memory)
    }

    /// A copy of `values`, with zeros up to `count`; of no values, as a dry run has them, nothing.
    convenience init(_ values: [Float], count: Int) {
        self.init(count: values.isEmpty ? 0 : count) { memory in
            for (index, value) in values.prefix(count).enumerated() { memory[index] = value }
        }
    }

    /// A copy as an array.
    var floats: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }

    deinit { free(UnsafeMutableRawPointer(mutating: pointer)) }
}

/// Zeroed, aligned memory; large amounts ask for large pages.
func alignedFloats(_ count: Int) -> UnsafeMutablePointer<Float> {
    let bytes = max(count, 16) * MemoryLayout<Float>.stride
    let largePage = 2 << 20
    let isLarge = bytes >= largePage
    var memory: UnsafeMutableRawPointer?
    // Out of memory is not an input's fault; Swift's own allocations stop the program then, and so does this one.
    let failed = posix_memalign(&memory, isLarge ? largePage : 64, bytes)
    guard failed == 0, let memory else { preconditionFailure("out of memory: \(bytes) bytes") }
    #if os(Linux)
        if isLarge { madvise(memory, bytes, MADV_HUGEPAGE) }
    #endif
    memset(memory, 0, bytes)
    return memory.bindMemory(to: Float.self, capacity: max(count, 16))
}
