import Foundation
import Platform

/// A Unix socket that clients connect to, until it is closed.
struct PolicySocket {
    let path: String
    let descriptor: Int32

    /// - Throws: `OutputError` where something else, or another server, has that name.
    init(path: String) throws(OutputError) {
        func refused(_ reason: String) -> OutputError { OutputError(path: path, reason: reason) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity, !path.utf8.contains(0), !path.isEmpty else {
            throw refused("a socket's path has 1 to \(capacity - 1) bytes")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        func withAddress(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
            let size = socklen_t(MemoryLayout<sockaddr_un>.size)
            return withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, size) }
            }
        }
        func newSocket() -> Int32 { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }

        var status = stat()
        if lstat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFSOCK else { throw refused("there is a file of that name") }
            // What a server that was killed has left behind may go; one that answers stays.
            let probe = newSocket()
            defer { close(probe) }
            guard withAddress({ connect(probe, $0, $1) }) != 0 else { throw refused("a server is listening there") }
            unlink(path)
        }
        let descriptor = newSocket()
        guard descriptor >= 0, withAddress({ bind(descriptor, $0, $1) }) == 0, listen(descriptor, 64) == 0 else {
            let reason = String(cString: strerror(errno))
            if descriptor >= 0 { close(descriptor) }
            throw refused(reason)
        }
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        (self.path, self.descriptor) = (path, descriptor)
    }

    /// The descriptor of a client that waits; nil for none.
    func next() -> Int32? {
        let client = accept(descriptor, nil, nil)
        return client >= 0 ? client : nil
    }

    func remove() {
        close(descriptor)
        unlink(path)
    }
}
