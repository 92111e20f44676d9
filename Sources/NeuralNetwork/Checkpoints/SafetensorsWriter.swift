import Platform

/// Writes Float32 tensors, whose shapes are known beforehand, to a safetensors file as their elements become available.
///
/// The file is written beside its final place and renamed by ``finish()``: it appears whole or not at all, in place of one
/// that was there with the permissions of that. A link stays; what it leads to is written. A writer that is
/// cancelled or dropped removes what it wrote, unless it was told to leave it for another to resume.
///
/// ```swift
/// let writer = try SafetensorsWriter(path: "samples.safetensors", tensors: [("samples", [100_000, 1, 28, 28])])
/// for batch in batches { try writer.append(batch) }
/// try writer.finish()
/// ```
public final class SafetensorsWriter {
    private let path: String
    /// What `path` leads to.
    private let place: String
    private let temporaryPath: String
    private let isResumable: Bool
    /// Of the open file; nil once it is finished or cancelled.
    private var descriptor: Int32?
    private let header: [UInt8]
    private let elementCount: Int
    /// Where `append` goes on, in elements.
    private var position = 0
    /// Elements that are not in the file yet.
    private var remaining: Int

    /// Begins a file that will hold `tensors` in this order.
    /// - Parameters:
    ///   - path: of the file.
    ///   - tensors: their names and shapes, in the order in which their values will come.
    ///   - isResumable: keeps what is written, in `path` with `.partial` behind it, if the program ends before
    ///     ``finish()``; a writer made likewise finds it there, and takes over by ``keep(_:)`` what it can vouch for.
    /// - Throws: ``CheckpointError`` if the place cannot be written or a shape is not sound.
    public init(
        path: String, tensors: [(name: String, shape: [Int])], isResumable: Bool = false
    ) throws(CheckpointError) {
        self.path = path
        self.isResumable = isResumable
        do throws(OutputError) {
            guard case .file(let file) = try OutputPlace(path: path) else {
                throw OutputError(path: path, reason: "it is a device or pipe; name a file")
            }
            place = file
        } catch { throw CheckpointError(.inaccessible, file: path, "cannot be written: \(error.reason)") }
        // Unique by process and by time, so that two writers do not meet; who resumes has made sure to be alone.
        temporaryPath =
            isResumable ? "\(place).partial" : "\(place).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial"
        (header, elementCount) = try Self.header(of: tensors, file: path)
        remaining = elementCount

        // Nothing is written through a link that somebody laid in the way.
        let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (isResumable ? 0 : O_EXCL)
        let descriptor = open(temporaryPath, flags, 0o666)
        guard descriptor >= 0 else {
            throw CheckpointError(.inaccessible, file: path, "cannot be written: \(Self.reason); check the folder")
        }
        self.descriptor = descriptor
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            self.descriptor = nil
            throw CheckpointError(.inaccessible, file: temporaryPath, "is in the way, and not a regular file")
        }
        if isResumable, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            close(descriptor)
            self.descriptor = nil
            throw CheckpointError(.inaccessible, file: path, "another process is writing it")
        }
        guard ftruncate(descriptor, off_t(header.count + 4 * elementCount)) == 0 else { throw failure(Self.reason) }
        if let reason = header.withUnsafeBytes({ write($0, at: 0) }) { throw failure(reason) }
    }

    deinit { cancel() }

    /// Appends elements in row-major order; those of the next tensor follow those of the one before.
    /// - Throws: ``CheckpointError`` if there are more than declared, or the disk is full.
    public func append(_ values: some Sequence<Float>) throws(CheckpointError) {
        position += try write(values, at: position)
    }

    /// Writes elements from number `position` of all tensors on. Each element is to be written once, in any order.
    /// - Returns: how many there were.
    /// - Throws: ``CheckpointError`` if they go beyond what was declared, or the disk is full.
    @discardableResult
    public func write(_ values: some Sequence<Float>, at position: Int) throws(CheckpointError) -> Int {
        let bits = values.map { $0.bitPattern.littleEndian }
        let count = bits.count
        guard position >= 0, count <= min(remaining, elementCount - position) else {
            throw CheckpointError(
                .mismatch, file: path,
                "\(count) elements from number \(position) on are more than its tensors were declared to hold")
        }
        if let reason = bits.withUnsafeBytes({ write($0, at: header.count + 4 * position) }) { throw failure(reason) }
        remaining -= count
        return count
    }

    /// Of a resumed file, the bytes of elements as an earlier writer left them (zeros where it left none).
    /// - Parameter elements: within the declared ones.
    /// - Throws: ``CheckpointError`` if they cannot be read.
    public func earlierBytes(_ elements: Range<Int>) throws(CheckpointError) -> [UInt8] {
        guard let descriptor, elements.lowerBound >= 0, elements.upperBound <= elementCount else {
            throw CheckpointError(.mismatch, file: path, "elements \(elements) are not among its \(elementCount)")
        }
        var bytes = [UInt8](repeating: 0, count: 4 * elements.count)
        var done = 0
        while done < bytes.count {
            let offset = off_t(header.count + 4 * elements.lowerBound + done)
            let count = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done, offset)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw CheckpointError(.inaccessible, file: temporaryPath, "cannot be read: \(Self.reason)")
            }
            done += count
        }
        return bytes
    }

    /// Counts elements of a resumed file as written.
    public func keep(_ elements: Range<Int>) { remaining -= elements.count }

    /// Sees to it that what was written outlasts a loss of power.
    /// - Throws: ``CheckpointError`` if the disk refuses.
    public func synchronise() throws(CheckpointError) {
        guard let descriptor else { return }
        guard fsync(descriptor) == 0 else { throw failure(Self.reason) }
    }

    /// Puts the file in its place.
    /// - Throws: ``CheckpointError`` if elements are missing or the file cannot be completed; nothing is left behind then,
    ///   but what a resumable writer keeps.
    public func finish() throws(CheckpointError) {
        guard let descriptor else {
            throw CheckpointError(.inaccessible, file: path, "was cancelled or finished before")
        }
        guard remaining == 0 else {
            let missing = remaining
            cancel()
            throw CheckpointError(
                .mismatch, file: path, "\(missing) elements fewer than its tensors were declared to hold")
        }
        self.descriptor = nil
        FileAttributes(path: place)?.apply(to: descriptor)
        guard close(descriptor) == 0, rename(temporaryPath, place) == 0 else {
            let reason = Self.reason
            if !isResumable { unlink(temporaryPath) }
            throw CheckpointError(.inaccessible, file: path, "cannot be written: \(reason)")
        }
    }

    /// Gives up: removes what was written so far, if nobody is to resume it. Does nothing after ``finish()``.
    public func cancel() {
        guard let descriptor else { return }
        self.descriptor = nil
        close(descriptor)
        if !isResumable { unlink(temporaryPath) }
    }

    private static var reason: String { String(cString: strerror(errno)) }

    private func failure(_ reason: String) -> CheckpointError {
        cancel()
        return CheckpointError(.inaccessible, file: path, "cannot be written: \(reason)")
    }

    /// Returns why not, if not.
    private func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) -> String? {
        guard let descriptor else { return "it was cancelled or finished before" }
        var done = 0
        while let rest = bytes.baseAddress?.advanced(by: done), done < bytes.count {
            let count = pwrite(descriptor, rest, bytes.count - done, off_t(offset + done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return Self.reason }
            done += count
        }
        return nil
    }

    /// The bytes before the data, and the number of elements in it.
    private static func header(
        of tensors: [(name: String, shape: [Int])], file: String
    ) throws(CheckpointError) -> (bytes: [UInt8], elementCount: Int) {
        var header = "{"
        var offset = 0
        for (index, tensor) in tensors.enumerated() {
            var size = 4
            for extent in tensor.shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow, product < 1 << 60 else {
                    throw CheckpointError(
                        .unsupported, file: file, subject: "tensor \(tensor.name)",
                        "shape \(tensor.shape) cannot be stored")
                }
                size = product
            }
            let (end, overflow) = offset.addingReportingOverflow(size)
            guard !overflow, end < 1 << 60 else {
                throw CheckpointError(.unsupported, file: file, "more data than a file can hold")
            }
            header += index == 0 ? "" : ","
            header += "\(JSON.quoted(tensor.name)):{\"dtype\":\"F32\",\"shape\":["
            header += tensor.shape.map(String.init).joined(separator: ",")
            header += "],\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        header += "}"
        while header.utf8.count % 8 != 0 { header += " " }
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
        return (length + Array(header.utf8), offset / 4)
    }
}
