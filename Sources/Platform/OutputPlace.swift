/// What a path for an output leads to. Links are followed, so that what they lead to is written and they stay as they are;
/// nothing but a regular file is ever replaced.
public enum OutputPlace: Hashable, Sendable {
    /// A regular file, or a free name in a folder.
    case file(path: String)
    /// A pipe, a terminal, `/dev/null`: written to as it is.
    case stream(path: String)
    /// A descriptor that this program was started with, as `/dev/stdout` is. What it leads to may be a regular file with
    /// other text in it, which goes on after ours.
    case descriptor(Int32)

    /// As many as the system itself follows.
    private static let mostLinks = 40

    /// - Throws: ``OutputError`` for a folder, a socket, a block device, another process's descriptor, and links that lead
    ///   nowhere or in a circle.
    public init(path: String) throws(OutputError) {
        func refused(_ reason: String) -> OutputError { OutputError(path: path, reason: reason) }
        var place = path
        for _ in 0...Self.mostLinks {
            if let number = try Self.ownDescriptor(place) {
                let flags = fcntl(number, F_GETFL)
                guard flags != -1, flags & O_ACCMODE != O_RDONLY else {
                    throw refused("descriptor \(number) is not open for writing")
                }
                self = .descriptor(number)
                return
            }
            var status = stat()
            guard lstat(place, &status) == 0 else {
                guard errno == ENOENT else { throw .system(path: path) }
                guard place == path else { throw refused("it is a link that leads nowhere") }
                self = .file(path: place)
                return
            }
            switch status.st_mode & S_IFMT {
            case S_IFREG:
                self = .file(path: place)
                return
            case S_IFCHR, S_IFIFO:
                self = .stream(path: place)
                return
            case S_IFLNK: place = try Self.target(ofLink: place)
            case S_IFDIR: throw refused("it is a folder; name a file in it")
            default: throw refused("it is a socket or a disk; name a file")
            }
        }
        throw refused("its links lead in a circle")
    }

    /// Where a link leads, one step of the way.
    private static func target(ofLink link: String) throws(OutputError) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(link, &buffer, buffer.count)
        guard count >= 0 else { throw .system(path: link) }
        let target = String(decoding: buffer.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return target.hasPrefix("/") ? target : "\(folder(of: link))/\(target)"
    }

    /// The number of one of this program's descriptors that a path names, as `/dev/stdout`, `/dev/fd/1` and
    /// `/proc/self/fd/1` do.
    private static func ownDescriptor(_ path: String) throws(OutputError) -> Int32? {
        guard let folder = realPath(folder(of: path)), let name = path.split(separator: "/").last else { return nil }
        guard folder == "/dev/fd" || folder.hasPrefix("/proc/") else { return nil }
        let own = "/proc/\(getpid())"
        guard folder == "/dev/fd" || folder.hasPrefix("\(own)/") && folder.hasSuffix("/fd"), let number = Int32(name)
        else {
            throw OutputError(path: path, reason: "the system's own, or another process's; name a file")
        }
        return number
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// `.` for a name alone.
    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// The same for two paths of the same file, though neither is there yet.
    public var identity: OutputPlace {
        guard case .file(let path) = self, let folder = Self.realPath(Self.folder(of: path)),
            let name = path.split(separator: "/").last
        else { return self }
        return .file(path: "\(folder)/\(name)")
    }
}

/// Owner, group and permissions of a file that another is about to replace.
public struct FileAttributes: Sendable {
    private let status: stat

    /// nil where there is no file.
    public init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.status = status
    }

    /// Gives them to the file that replaces it. The owner stays who we are where the system does not let us choose.
    public func apply(to descriptor: Int32) {
        _ = fchown(descriptor, status.st_uid, status.st_gid)
        _ = fchmod(descriptor, status.st_mode & 0o7777)
    }
}
