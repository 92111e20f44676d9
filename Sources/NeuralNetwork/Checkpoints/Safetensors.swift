/// A safetensors file, mapped into memory and checked as a whole before anything is read from it
/// (format: https://huggingface.co/docs/safetensors).
///
/// Offsets, shapes and types are verified when the file is opened: every tensor's bytes lie inside the file, match its shape
/// and type, and together they tile the data section without gap or overlap.
public struct SafetensorsFile: Sendable {
    /// Element types this package reads.
    public enum DType: String, Sendable {
        case f64 = "F64", f32 = "F32", f16 = "F16", bf16 = "BF16"
        case i64 = "I64", i32 = "I32"
        // Known, so that a file that holds one among others can be opened, but not converted.
        case i16 = "I16", i8 = "I8", u64 = "U64", u32 = "U32", u16 = "U16", u8 = "U8", bool = "BOOL"

        /// Bytes of one element.
        public var size: Int {
            switch self {
            case .f64, .i64, .u64: 8
            case .f32, .i32, .u32: 4
            case .f16, .bf16, .i16, .u16: 2
            case .i8, .u8, .bool: 1
            }
        }
    }

    struct Entry: Sendable {
        let dtype: DType
        let shape: [Int]
        /// Bytes in the file.
        var range: Range<Int>
        var count: Int { range.count / dtype.size }
    }

    /// Path of the file.
    public let path: String
    /// Names in alphabetical order.
    public let tensorNames: [String]
    /// The header's `__metadata__`.
    public let metadata: [String: String]

    let file: MappedFile
    let entries: [String: Entry]

    /// Opens and checks a file.
    /// - Throws: ``CheckpointError`` if the file cannot be read or is not sound.
    public init(path: String) throws(CheckpointError) {
        self.path = path
        file = try MappedFile(path: path)
        let header = try SafetensorsHeader(of: file)
        entries = header.entries
        metadata = header.metadata
        tensorNames = header.entries.keys.sorted()
    }

    /// The shape of a tensor, or nil if there is none of that name.
    public func shape(of name: String) -> [Int]? { entries[name]?.shape }

    /// The element type of a tensor, or nil if there is none of that name.
    public func dtype(of name: String) -> DType? { entries[name]?.dtype }

    /// A tensor's elements in row-major order as Float (F64 is rounded, F16 and BF16 are widened).
    /// - Parameters:
    ///   - name: of the tensor.
    ///   - shape: that it must have; nil for any.
    ///   - elements: which of them; nil for all.
    /// - Throws: ``CheckpointError`` if there is no such tensor, its shape is not `shape`, it does not hold floating point, or
    ///   has not got the elements.
    public func floats(
        named name: String, shape: [Int]? = nil, elements: Range<Int>? = nil
    ) throws(CheckpointError) -> [Float] {
        var entry = try entry(named: name, shape: shape)
        if let elements {
            guard elements.lowerBound >= 0, elements.upperBound <= entry.count else {
                throw CheckpointError(
                    .mismatch, file: path, subject: "tensor \(CheckpointError.shortened(name))",
                    "has \(entry.count) elements; expected those from \(elements.lowerBound) to \(elements.upperBound)")
            }
            let (start, size) = (entry.range.lowerBound, entry.dtype.size)
            entry.range = start + elements.lowerBound * size..<start + elements.upperBound * size
        }
        switch entry.dtype {
        case .f32: return read(entry) { (bits: UInt32) in Float(bitPattern: bits) }
        case .f64: return read(entry) { (bits: UInt64) in Float(Double(bitPattern: bits)) }
        case .bf16: return read(entry) { (bits: UInt16) in Float(bitPattern: UInt32(bits) << 16) }
        case .f16: return read(entry, halfPrecision)
        default:
            throw CheckpointError(
                .mismatch, file: path, subject: "tensor \(CheckpointError.shortened(name))",
                "has type \(entry.dtype.rawValue); expected F32, F16, BF16 or F64")
        }
    }

    /// A tensor's elements in row-major order as integers.
    /// - Throws: ``CheckpointError`` if there is no such tensor, its shape is not `shape`, or it does not hold I64 or I32.
    public func integers(named name: String, shape: [Int]? = nil) throws(CheckpointError) -> [Int] {
        let entry = try entry(named: name, shape: shape)
        switch entry.dtype {
        case .i64: return read(entry) { (bits: UInt64) in Int(Int64(bitPattern: bits)) }
        case .i32: return read(entry) { (bits: UInt32) in Int(Int32(bitPattern: bits)) }
        default:
            throw CheckpointError(
                .mismatch, file: path, subject: "tensor \(CheckpointError.shortened(name))",
                "has type \(entry.dtype.rawValue); expected I64 or I32")
        }
    }

    private func entry(named name: String, shape: [Int]?) throws(CheckpointError) -> Entry {
        let subject = "tensor \(CheckpointError.shortened(name))"
        guard let entry = entries[name] else {
            throw CheckpointError(
                .mismatch, file: path, subject: subject,
                "is missing; the file holds \(CheckpointError.firstTen(tensorNames))")
        }
        if let shape, shape != entry.shape {
            throw CheckpointError(
                .mismatch, file: path, subject: subject, "has shape \(entry.shape); expected \(shape)")
        }
        return entry
    }

    private func read<Bits: FixedWidthInteger, Element>(_ entry: Entry, _ convert: (Bits) -> Element) -> [Element] {
        // Large weights would otherwise be in memory twice, as the file has them and as they are laid out.
        defer { file.release(entry.range) }
        return file.withBytes(in: entry.range) { bytes in
            let count = bytes.count / MemoryLayout<Bits>.size
            return Array(unsafeUninitializedCapacity: count) { buffer, initialized in
                for index in 0..<count {
                    let bits = bytes.loadUnaligned(fromByteOffset: index * MemoryLayout<Bits>.size, as: Bits.self)
                    buffer.initializeElement(at: index, to: convert(Bits(littleEndian: bits)))
                }
                initialized = count
            }
        }
    }
}

/// IEEE 754 binary16 to Float, exactly.
private func halfPrecision(_ bits: UInt16) -> Float {
    let sign = UInt32(bits & 0x8000) << 16
    let exponent = Int(bits >> 10) & 0x1F
    let fraction = UInt32(bits & 0x3FF)
    switch exponent {
    case 0:
        // Zero or subnormal: fraction · 2⁻²⁴.
        let magnitude = Float(fraction) * 0x1p-24
        return sign == 0 ? magnitude : -magnitude
    case 31: return Float(bitPattern: sign | 0x7F80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | UInt32(exponent + 112) << 23 | fraction << 13)
    }
}
