/// A stream that cannot be read.
struct InputError: Error, CustomStringConvertible {
    let path: String
    let reason: String
    var description: String { "\(path): cannot read: \(reason)" }
}
