import Jobs
@preconcurrency import Platform

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// Standard input, output and errors, where the shell has closed them or nobody listens.
enum StandardStreams {
    /// To be called before any file is opened.
    static func prepare() {
        // A file opened while stdout is closed would get its number, and what is printed with it.
        for number: Int32 in 0...2 where fcntl(number, F_GETFD) == -1 {
            // The wrong way round, so that printing fails and is noticed.
            guard open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY) == number else { break }
        }
        // A reader that has gone, and a file that may not grow further, are errors like others, not sudden deaths.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
    }

    /// Prints a text, and makes sure that it has arrived.
    static func write(_ text: String) throws {
        print(text, terminator: "")
        try flush()
    }

    /// Makes sure that what was printed has arrived.
    /// - Throws: `ReaderGone` if the reader of a pipe has gone, `OutputError` for anything else.
    static func flush() throws {
        errno = 0
        let isFlushed = fflush(stdout) == 0
        let failure = errno
        guard !isFlushed || ferror(stdout) != 0 else { return }
        var state = pollfd(fd: 1, events: Int16(POLLOUT), revents: 0)
        if failure == EPIPE || poll(&state, 1, 0) > 0 && state.revents & Int16(POLLERR) != 0 { throw ReaderGone() }
        throw OutputError(
            path: "standard output", reason: failure == 0 ? "closed" : String(cString: strerror(failure)))
    }
}

/// Nobody reads standard output any more, as when it goes to `head`.
struct ReaderGone: Error {
    /// That of a program which dies of SIGPIPE, by the shell's convention.
    static let status: Int32 = 128 + 13
}
