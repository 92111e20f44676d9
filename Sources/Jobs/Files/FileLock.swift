import Foundation
import Platform

/// Keeps a second process from working at the same job. The system gives the lock back however the process ends.
final class FileLock {
    private let path: String
    private let descriptor: Int32

    /// - Parameter isAwaited: waits for another process that has the lock.
    /// - Throws: `OutputError` if another process has the lock, saying what it is for.
    init(path: String, for purpose: String, isAwaited: Bool = false) throws(OutputError) {
        func failure() -> OutputError { OutputError(path: path, reason: String(cString: strerror(errno))) }
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
            guard descriptor >= 0 else { throw failure() }
            guard flock(descriptor, isAwaited ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 else {
                let error =
                    errno == EWOULDBLOCK
                    ? OutputError(path: path, reason: "another process is at work on \(purpose)") : failure()
                close(descriptor)
                throw error
            }
            // Who had it before may have taken the file away since we opened it.
            var (mine, there) = (stat(), stat())
            if fstat(descriptor, &mine) == 0, lstat(path, &there) == 0, mine.st_ino == there.st_ino {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
    }

    deinit {
        unlink(path)
        close(descriptor)
    }
}
