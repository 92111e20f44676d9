import Foundation

/// Files that appear whole or not at all, even if the program is killed. What a killed program leaves behind is named
/// after the file, `.NAME.partial`, and gone once the file is written again.
public enum AtomicFile {
    /// - Parameters:
    ///   - bytes: all of the file.
    ///   - path: where it appears once it is whole.
    ///   - isDurable: waits until the bytes would outlast a loss of power.
    public static func write(_ bytes: [UInt8], to path: String, isDurable: Bool = false) throws(OutputError) {
        let url = URL(fileURLWithPath: path)
        let temporary = url.deletingLastPathComponent().appendingPathComponent(".\(url.lastPathComponent).partial").path
        func failure(_ reason: String? = nil) -> OutputError {
            OutputError(path: path, reason: reason ?? String(cString: strerror(errno)))
        }
        // O_EXCL: never through a link that somebody laid in the way.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw failure() }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        do throws(OutputError) {
            guard writeAll(bytes, to: descriptor), !isDurable || fsync(descriptor) == 0 else { throw failure() }
            // Another process that writes the same file has replaced ours: its bytes are not known to be whole.
            var (mine, there) = (stat(), stat())
            guard fstat(descriptor, &mine) == 0, lstat(temporary, &there) == 0,
                mine.st_ino == there.st_ino, mine.st_dev == there.st_dev
            else { throw failure("another process is writing it as well") }
            isOpen = false
            guard close(descriptor) == 0, rename(temporary, path) == 0 else { throw failure() }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while let rest = buffer.baseAddress?.advanced(by: done), done < buffer.count {
                let count = Foundation.write(descriptor, rest, buffer.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}
