import Foundation
import Platform

/// A robot on the line: its requests as they come, and what has not been sent to it yet.
struct PolicyConnection {
    let input: Int32
    let output: Int32
    /// Whether it is a client of a socket, which never makes the others wait, and which may go.
    let isClient: Bool
    private(set) var lines = LineBuffer()
    private(set) var unsent: [UInt8] = []
    /// Nothing more can be sent.
    private(set) var isBroken = false

    static var standard: PolicyConnection {
        PolicyConnection(input: STDIN_FILENO, output: STDOUT_FILENO, isClient: false)
    }

    init(client descriptor: Int32) {
        self.init(input: descriptor, output: descriptor, isClient: true)
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    private init(input: Int32, output: Int32, isClient: Bool) {
        (self.input, self.output, self.isClient) = (input, output, isClient)
    }

    /// Whether there is nothing more to be done.
    var isOver: Bool { isBroken || lines.isAtEnd && unsent.isEmpty }

    /// What to wait for.
    var awaited: Int16 { unsent.isEmpty ? (lines.isAtEnd ? 0 : Int16(POLLIN)) : Int16(POLLOUT) }

    /// The next request, once the last answer is sent: a client that reads nothing is not read from either.
    mutating func nextLine() -> LineBuffer.Line? { unsent.isEmpty ? lines.next() : nil }

    /// Reads what has come.
    /// - Throws: `InputError` if standard input cannot be read.
    mutating func receive() throws {
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(input, &chunk, chunk.count)
        if count > 0 {
            lines.append(chunk[..<count])
        } else if count == 0 {
            lines.end()
        } else if errno != EINTR, errno != EAGAIN {
            guard isClient else { throw InputError(path: "stdin", reason: String(cString: strerror(errno))) }
            isBroken = true
        }
    }

    /// Sends an answer, or what of it can be sent without waiting.
    /// - Throws: `OutputError` if nobody reads standard output.
    mutating func send(_ text: String) throws {
        unsent += Array((text + "\n").utf8)
        try flush()
    }

    mutating func flush() throws {
        while !unsent.isEmpty, !isBroken {
            let count = write(output, unsent, unsent.count)
            if count > 0 {
                unsent.removeFirst(count)
            } else if errno == EAGAIN, isClient {
                return
            } else if errno != EINTR {
                guard isClient else {
                    throw OutputError(path: "stdout", reason: "nobody reads the answers any more")
                }
                isBroken = true
            }
        }
    }

    func close() { if isClient { Glibc.close(input) } }
}
