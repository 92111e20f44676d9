/// What a path leads to, symbolic links followed.
public enum FileKind: Equatable, Sendable {
    /// A regular file of so many bytes.
    case file(size: Int)
    case folder
    /// A device, a pipe, a socket.
    case other

    /// nil where there is nothing, or nothing that may be looked at.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file(size: Int(status.st_size))
        case S_IFDIR: self = .folder
        default: self = .other
        }
    }
}
