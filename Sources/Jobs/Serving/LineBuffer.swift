/// Bytes as they come, cut into lines, in bounded memory.
struct LineBuffer {
    enum Line {
        case text([UInt8])
        /// More than `largestLine` bytes, thrown away.
        case tooLong
    }

    static let largestLine = 16 << 20

    private var buffer: [UInt8] = []
    /// How much of the buffer is known to hold no end of a line.
    private var searched = 0
    private var isSkipping = false
    private(set) var isAtEnd = false

    mutating func append(_ bytes: some Sequence<UInt8>) { buffer.append(contentsOf: bytes) }

    /// Nothing more comes: a last line need not have an end.
    mutating func end() { isAtEnd = true }

    /// The next whole line without its end; nil where more is needed, or nothing is left.
    mutating func next() -> Line? {
        if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = Array(buffer[..<end])
            buffer.removeFirst(end + 1)
            searched = 0
            defer { isSkipping = false }
            return isSkipping || line.count > Self.largestLine ? .tooLong : .text(line)
        }
        searched = buffer.count
        if buffer.count > Self.largestLine {
            isSkipping = true
            buffer.removeAll()
            searched = 0
        }
        guard isAtEnd, isSkipping || !buffer.isEmpty else { return nil }
        defer {
            isSkipping = false
            buffer = []
            searched = 0
        }
        return isSkipping ? .tooLong : .text(buffer)
    }
}
