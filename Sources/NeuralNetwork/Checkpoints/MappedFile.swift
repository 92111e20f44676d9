#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A regular file mapped into memory, read-only, until the last reference goes.
package final class MappedFile: Sendable {
    let path: String
    let count: Int
    private nonisolated(unsafe) let base: UnsafeRawPointer?

    /// - Throws: ``CheckpointError`` if the file is missing, unreadable, or not a regular file.
    init(path: String) throws(CheckpointError) {
        func reason() -> String { String(cString: strerror(errno)) }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CheckpointError(.inaccessible, file: path, "cannot be opened: \(reason()); check the path")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw CheckpointError(.inaccessible, file: path, "cannot be read: \(reason())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(.inaccessible, file: path, "is not a regular file")
        }
        self.path = path
        count = Int(status.st_size)
        if count == 0 {
            base = nil
            return
        }
        guard let map = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), map != MAP_FAILED else {
            throw CheckpointError(.inaccessible, file: path, "cannot be mapped into memory: \(reason())")
        }
        base = UnsafeRawPointer(map)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// The bytes of `range`, which must lie inside the file.
    func withBytes<Result>(in range: Range<Int>, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "range outside the file")
        let start = base.map { $0 + range.lowerBound }
        return body(UnsafeRawBufferPointer(start: start, count: range.count))
    }

    /// Lets the system take back the memory of bytes that have been copied; they can still be read.
    func release(_ range: Range<Int>) {
        #if os(Linux)
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let first = (range.lowerBound + page - 1) / page * page
            let end = range.upperBound / page * page
            guard let base, first < end else { return }
            madvise(UnsafeMutableRawPointer(mutating: base + first), end - first, MADV_DONTNEED)
        #endif
    }

    /// Whether there is something of that name, be it a file that can be read or not.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The whole of a small file.
    package static func contents(of path: String, atMost limit: Int) throws(CheckpointError) -> [UInt8] {
        let file = try MappedFile(path: path)
        guard file.count <= limit else {
            throw CheckpointError(.malformed, file: path, "has \(file.count) bytes; at most \(limit) are expected here")
        }
        return file.withBytes(in: 0..<file.count) { Array($0) }
    }
}
