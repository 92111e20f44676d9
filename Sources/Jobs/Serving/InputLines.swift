import Foundation

/// The lines of stdin, as they come, in bounded memory, with signals heeded while it waits.
struct InputLines {
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
    private var isAtEnd = false

    /// The next line without its end; nil when stdin has ended. A last line need not have an end.
    /// - Parameter check: asked now and then while it waits.
    /// - Throws: what `check` throws, `InputError` if nothing can be read.
    mutating func next(checking check: () throws -> Void) throws -> Line? {
        while true {
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
            if isAtEnd {
                guard isSkipping || !buffer.isEmpty else { return nil }
                defer {
                    isSkipping = false
                    buffer = []
                    searched = 0
                }
                return isSkipping ? .tooLong : .text(buffer)
            }
            try fill(checking: check)
        }
    }

    /// Waits for more. A signal need not end the wait, so that it looks around now and then.
    private mutating func fill(checking check: () throws -> Void) throws {
        while true {
            try check()
            var descriptor = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, 200) > 0 { break }
        }
        let chunk = 1 << 16
        var count = 0
        let old = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: chunk))
        buffer.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            count = read(STDIN_FILENO, base + old, chunk)
        }
        let failure = errno
        buffer.removeLast(chunk - max(0, count))
        if count == 0 { isAtEnd = true }
        if count < 0, failure != EINTR, failure != EAGAIN {
            throw InputError(path: "stdin", reason: String(cString: strerror(failure)))
        }
    }
}
