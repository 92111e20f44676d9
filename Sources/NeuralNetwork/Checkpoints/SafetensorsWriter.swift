#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Writes Float32 tensors, whose shapes are known beforehand, to a safetensors file as their elements become available.
///
/// The file is written beside its final place and renamed by ``finish()``: it appears whole or not at all. A writer that is
/// cancelled or dropped removes what it wrote.
///
/// ```swift
/// let writer = try SafetensorsWriter(path: "samples.safetensors", tensors: [("samples", [100_000, 1, 28, 28])])
/// for batch in batches { try writer.append(batch) }
/// try writer.finish()
/// ```
public final class SafetensorsWriter {
    private let path: String
    private let temporaryPath: String
    private var file: UnsafeMutablePointer<FILE>?
    private var remaining: Int

    /// Begins a file that will hold `tensors` in this order.
    /// - Throws: ``CheckpointError`` if the place cannot be written or a shape is not sound.
    public init(path: String, tensors: [(name: String, shape: [Int])]) throws(CheckpointError) {
        self.path = path
        // Unique by process and by time, so that two writers do not meet.
        temporaryPath = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).partial"
        var header = "{"
        var offset = 0
        for (index, tensor) in tensors.enumerated() {
            var size = 4
            for extent in tensor.shape {
                let (product, overflow) = size.multipliedReportingOverflow(by: extent)
                guard extent >= 0, !overflow, product < 1 << 60 else {
                    throw CheckpointError(
                        .unsupported, file: path, subject: "tensor \(tensor.name)", "shape \(tensor.shape) cannot be stored")
                }
                size = product
            }
            let (end, overflow) = offset.addingReportingOverflow(size)
            guard !overflow else { throw CheckpointError(.unsupported, file: path, "more data than a file can hold") }
            header += index == 0 ? "" : ","
            header += "\"\(Self.escaped(tensor.name))\":{\"dtype\":\"F32\",\"shape\":["
            header += tensor.shape.map(String.init).joined(separator: ",")
            header += "],\"data_offsets\":[\(offset),\(end)]}"
            offset = end
        }
        header += "}"
        while header.utf8.count % 8 != 0 { header += " " }
        remaining = offset / 4

        file = fopen(temporaryPath, "wxb")
        guard file != nil else {
            throw CheckpointError(
                .inaccessible, file: path, "cannot be written: \(String(cString: strerror(errno))); check the folder")
        }
        let length = UInt64(header.utf8.count).littleEndian
        try check(withUnsafeBytes(of: length, write))
        try check(Array(header.utf8).withUnsafeBytes(write))
    }

    deinit { cancel() }

    /// Appends elements in row-major order; those of the next tensor follow those of the one before.
    /// - Throws: ``CheckpointError`` if there are more than declared, or the disk is full.
    public func append(_ values: some Sequence<Float>) throws(CheckpointError) {
        let array = values.map { $0.bitPattern.littleEndian }
        guard array.count <= remaining else {
            throw CheckpointError(
                .mismatch, file: path, "\(array.count - remaining) more elements than its tensors were declared to hold")
        }
        try check(array.withUnsafeBytes(write))
        remaining -= array.count
    }

    /// Puts the file in its place.
    /// - Throws: ``CheckpointError`` if elements are missing or the file cannot be completed; nothing is left behind then.
    public func finish() throws(CheckpointError) {
        guard let handle = file else { throw CheckpointError(.inaccessible, file: path, "was cancelled or finished before") }
        guard remaining == 0 else {
            let missing = remaining
            cancel()
            throw CheckpointError(.mismatch, file: path, "\(missing) elements fewer than its tensors were declared to hold")
        }
        file = nil
        let flushed = fflush(handle) == 0
        guard fclose(handle) == 0, flushed, rename(temporaryPath, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporaryPath)
            throw CheckpointError(.inaccessible, file: path, "cannot be written: \(reason)")
        }
    }

    /// Gives up: removes what was written so far. Does nothing after ``finish()``.
    public func cancel() {
        guard let handle = file else { return }
        file = nil
        fclose(handle)
        unlink(temporaryPath)
    }

    /// Writes `bytes`. Returns why not, if not.
    private func write(_ bytes: UnsafeRawBufferPointer) -> String? {
        guard let file else { return "it was cancelled or finished before" }
        guard bytes.isEmpty || fwrite(bytes.baseAddress, 1, bytes.count, file) == bytes.count else {
            return String(cString: strerror(errno))
        }
        return nil
    }

    private func check(_ reason: String?) throws(CheckpointError) {
        guard let reason else { return }
        cancel()
        throw CheckpointError(.inaccessible, file: path, "cannot be written: \(reason)")
    }

    private static func escaped(_ name: String) -> String {
        var result = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
