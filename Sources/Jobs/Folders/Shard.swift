/// One of `n` parts of a job, samples in a row; `i` counts from 1. Written `i/n`.
public struct Shard: Codable, Equatable, Sendable, CustomStringConvertible {
    public let number: Int
    public let count: Int

    public static let whole = Shard(number: 1, count: 1)

    init(number: Int, count: Int) {
        self.number = number
        self.count = count
    }

    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1], (1...1_000_000).contains(count),
            (1...count).contains(number)
        else { return nil }
        self.init(number: number, count: count)
    }

    public var description: String { "\(number)/\(count)" }

    /// Its part of the samples 0 ..< total; the parts differ by one sample at most.
    func samples(of total: Int) -> Range<Int> { (number - 1) * total / count..<number * total / count }

    /// Its manifest's name in the folder of the samples.
    var manifestName: String { self == .whole ? "manifest.json" : "manifest-\(number)-of-\(count).json" }
}
