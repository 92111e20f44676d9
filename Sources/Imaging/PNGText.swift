import Foundation

/// A line about a picture, in its file: a keyword and what it says.
public struct PNGText: Sendable, Equatable {
    /// 1 to 79 printable ASCII characters.
    public let keyword: String
    public let text: String

    public init(_ keyword: String, _ text: String) { (self.keyword, self.text) = (keyword, text) }
}

/// A chunk of a PNG file (ISO/IEC 15948, §5.3): a length, four letters, the data, a checksum.
///
/// libpng's simplified interface writes no texts, and its other one leaves by `longjmp`, which Swift code cannot be left by. So
/// texts are set into the finished file and read out of it here; the pixels are libpng's alone.
struct PNGChunk {
    let type: String
    let data: Data

    private static let signature = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

    /// The chunks of a file.
    /// - Parameter path: for messages.
    /// - Throws: `ImagingError` if it is no PNG, or damaged.
    static func chunks(of file: Data, path: String) throws(ImagingError) -> [PNGChunk] {
        guard file.starts(with: signature) else {
            throw ImagingError(path: path, reason: "it is not a PNG", isReading: true)
        }
        var (chunks, rest) = ([PNGChunk](), file.dropFirst(signature.count))
        while !rest.isEmpty {
            // Length, type and checksum have four bytes each.
            guard rest.count >= 12, let length = Int(exactly: number(rest.prefix(4))), length <= rest.count - 12 else {
                throw ImagingError(path: path, reason: "it ends within a chunk", isReading: true)
            }
            let checked = rest.dropFirst(4).prefix(4 + length)
            guard number(rest.dropFirst(8 + length).prefix(4)) == checksum(checked) else {
                throw ImagingError(path: path, reason: "a checksum is wrong", isReading: true)
            }
            chunks.append(
                PNGChunk(type: String(decoding: checked.prefix(4), as: UTF8.self), data: Data(checked.dropFirst(4))))
            rest = rest.dropFirst(12 + length)
        }
        return chunks
    }

    /// The bytes of a file.
    static func file(_ chunks: [PNGChunk]) -> Data { chunks.reduce(into: signature) { $0 += $1.bytes } }

    private var bytes: Data {
        let checked = Data(type.utf8) + data
        return Self.bytes(UInt32(data.count)) + checked + Self.bytes(Self.checksum(checked))
    }

    private static func number(_ bytes: Data) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }
    static func bytes(_ number: UInt32) -> Data { withUnsafeBytes(of: number.bigEndian) { Data($0) } }

    /// CRC-32 (ISO/IEC 15948, Annex D).
    private static func checksum(_ bytes: Data) -> UInt32 {
        ~bytes.reduce(~0) { crc, byte in table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ crc >> 8 }
    }

    private static let table: [UInt32] = (0..<256).map { index in
        var value = UInt32(index)
        for _ in 0..<8 {
            let isOdd = value & 1 == 1
            value >>= 1
            if isOdd { value ^= 0xEDB8_8320 }
        }
        return value
    }
}

extension PNGText {
    /// `iTXt`, which is UTF-8: keyword, 0, not compressed, without a language and a translated keyword.
    private var chunk: PNGChunk { PNGChunk(type: "iTXt", data: Data(keyword.utf8) + Data(count: 5) + Data(text.utf8)) }

    /// Of a text chunk that isn't compressed; nil for any other.
    private init?(_ chunk: PNGChunk) {
        let parts = chunk.data.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let keyword = String(data: parts[0], encoding: .isoLatin1), !keyword.isEmpty else {
            return nil
        }
        switch chunk.type {
        case "tEXt":
            guard let text = String(data: parts[1], encoding: .isoLatin1) else { return nil }
            self.init(keyword, text)
        case "iTXt":
            // A flag and a method of compression; the language and the translated keyword end with a 0 each.
            let rest = parts[1].dropFirst(2).split(separator: 0, maxSplits: 2, omittingEmptySubsequences: false)
            guard parts[1].first == 0, rest.count == 3 else { return nil }
            self.init(keyword, String(decoding: rest[2], as: UTF8.self))
        default: return nil
        }
    }

    /// The texts of a PNG file, and its size in pixels.
    /// - Parameters:
    ///   - file: its bytes.
    ///   - path: for messages.
    /// - Throws: `ImagingError` if it is no PNG, or damaged.
    public static func read(png file: Data, path: String) throws(ImagingError) -> (
        width: Int, height: Int, texts: [PNGText]
    ) {
        let chunks = try PNGChunk.chunks(of: file, path: path)
        guard let header = chunks.first, header.type == "IHDR", header.data.count == 13 else {
            throw ImagingError(path: path, reason: "it does not begin with a header", isReading: true)
        }
        func number(_ bytes: Data) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }
        return (
            number(header.data.prefix(4)), number(header.data.dropFirst(4).prefix(4)), chunks.compactMap { PNGText($0) }
        )
    }

    /// A PNG file with texts behind its header.
    static func adding(_ texts: [PNGText], to file: Data) throws(ImagingError) -> Data {
        guard !texts.isEmpty else { return file }
        var chunks = try PNGChunk.chunks(of: file, path: "")
        chunks.insert(contentsOf: texts.map(\.chunk), at: 1)
        return PNGChunk.file(chunks)
    }
}
