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

    /// Makes sure that what was printed has arrived.
    static func flush() throws(OutputError) {
        errno = 0
        guard fflush(stdout) == 0, ferror(stdout) == 0 else {
            throw OutputError(path: "standard output", reason: errno == 0 ? "closed" : String(cString: strerror(errno)))
        }
    }
}
