/// A place that results cannot be written to.
public struct OutputError: Error, CustomStringConvertible {
    public let path: String
    public let reason: String
    public var description: String { "\(path): cannot write: \(reason)" }

    public init(path: String, reason: String) { (self.path, self.reason) = (path, reason) }

    /// With the system's words for what has just failed.
    public static func system(path: String) -> OutputError {
        OutputError(path: path, reason: String(cString: strerror(errno)))
    }
}
