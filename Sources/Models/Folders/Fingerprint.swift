import Platform

/// Sixty-four bits that tell whether bytes are still what they were: FNV-1a (Fowler, Noll and Vo) over words of eight
/// bytes. They find damage and mix-ups; they are no protection from somebody who means to deceive.
public struct Fingerprint: Sendable {
    public private(set) var value: UInt64 = 0xCBF2_9CE4_8422_2325

    public init() {}

    public mutating func combine(_ bytes: some Collection<UInt8>) {
        let isContiguous: Void? = bytes.withContiguousStorageIfAvailable { combine(UnsafeRawBufferPointer($0)) }
        if isContiguous == nil { Array(bytes).withUnsafeBytes { combine($0) } }
    }

    private mutating func combine(_ bytes: UnsafeRawBufferPointer) {
        var offset = 0
        while offset + 8 <= bytes.count {
            mix(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)))
            offset += 8
        }
        while offset < bytes.count {
            mix(UInt64(bytes[offset]))
            offset += 1
        }
        mix(UInt64(bytes.count))
    }

    private mutating func mix(_ word: UInt64) {
        value = (value ^ word) &* 0x0000_0100_0000_01B3
        // Products carry upwards only; this brings the upper bits back down.
        value ^= value >> 29
    }

    /// As sixteen hexadecimal digits.
    public var text: String { Self.text(of: value) }

    public static func text(of value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

extension Fingerprint {
    /// The contents of a file.
    /// - Throws: `ModelError` if it cannot be read.
    public mutating func combine(file: URL) throws(ModelError) {
        guard let data = try? Data(contentsOf: file, options: .mappedIfSafe) else {
            throw ModelError(file.path, expected: "a readable file", found: "none")
        }
        combine(data)
    }
}

extension Fingerprint {
    /// The fingerprint of a model folder: of every JSON and safetensors file in it and in its subfolders, with its name.
    /// - Throws: `ModelError` if a file cannot be read.
    public static func text(ofFolder folder: String) throws(ModelError) -> String {
        var fingerprint = Fingerprint()
        let root = URL(fileURLWithPath: folder)
        for part in [
            "", "unet", "scheduler", "vae", "vqvae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2",
        ] {
            let url = part.isEmpty ? root : root.appendingPathComponent(part)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
            for name in names.sorted() where [".json", ".safetensors", "merges.txt"].contains(where: name.hasSuffix) {
                fingerprint.combine((part + "/" + name).utf8)
                try fingerprint.combine(file: url.appendingPathComponent(name))
            }
        }
        return fingerprint.text
    }
}
