/// Files that appear whole or not at all, even if the program is killed. What a killed program leaves behind is named
/// after the file, `.NAME.partial`, and gone once the file is written again.
public enum AtomicFile {
    /// A link stays, and the file that it leads to is written, with the permissions that it had. Pipes, terminals and
    /// descriptors such as `/dev/stdout` are written to as they are.
    /// - Parameters:
    ///   - bytes: all of the file.
    ///   - path: where it appears once it is whole.
    ///   - isDurable: waits until the bytes would outlast a loss of power.
    public static func write(_ bytes: [UInt8], to path: String, isDurable: Bool = false) throws(OutputError) {
        switch try OutputPlace(path: path) {
        case .file(let file):
            do { try replace(file, by: bytes, isDurable: isDurable) } catch {
                throw OutputError(path: path, reason: error.reason)
            }
        case .descriptor(let number):
            guard writeAll(bytes, to: number) else { throw .system(path: path) }
        case .stream(let stream):
            let descriptor = open(stream, O_WRONLY | O_NOCTTY | O_CLOEXEC)
            guard descriptor >= 0 else { throw .system(path: path) }
            defer { close(descriptor) }
            guard writeAll(bytes, to: descriptor) else { throw .system(path: path) }
        }
    }

    private static func replace(_ file: String, by bytes: [UInt8], isDurable: Bool) throws(OutputError) {
        let name = file.split(separator: "/").last ?? ""
        let temporary = "\(OutputPlace.folder(of: file))/.\(name).partial"
        // O_EXCL: never through a link that somebody laid in the way.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw .system(path: file) }
        var isOpen = true
        defer { if isOpen { close(descriptor) } }
        do throws(OutputError) {
            FileAttributes(path: file)?.apply(to: descriptor)
            guard writeAll(bytes, to: descriptor), !isDurable || fsync(descriptor) == 0 else {
                throw .system(path: file)
            }
            // Another process that writes the same file has replaced ours: its bytes are not known to be whole.
            var (mine, there) = (stat(), stat())
            guard fstat(descriptor, &mine) == 0, lstat(temporary, &there) == 0,
                mine.st_ino == there.st_ino, mine.st_dev == there.st_dev
            else { throw OutputError(path: file, reason: "another process is writing it as well") }
            isOpen = false
            guard close(descriptor) == 0, rename(temporary, file) == 0 else { throw .system(path: file) }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    private static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while let rest = buffer.baseAddress?.advanced(by: done), done < buffer.count {
                let count = Platform.write(descriptor, rest, buffer.count - done)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                done += count
            }
            return true
        }
    }
}
