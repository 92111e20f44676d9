import ArgumentParser

/// `--shard i/n`: one of n parts of a job, a run of samples on end; i counts from 1.
struct Shard: ExpressibleByArgument, Codable, Equatable, CustomStringConvertible {
    let number: Int
    let count: Int

    static let whole = Shard(number: 1, count: 1)

    init(number: Int, count: Int) {
        self.number = number
        self.count = count
    }

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let number = parts[0], let count = parts[1], (1...1_000_000).contains(count),
            (1...count).contains(number)
        else { return nil }
        self.init(number: number, count: count)
    }

    var description: String { "\(number)/\(count)" }

    /// Its part of the samples 0 ..< total; the parts differ by one sample at most.
    func samples(of total: Int) -> Range<Int> { (number - 1) * total / count..<number * total / count }

    /// Its manifest's name in the folder of the samples.
    var manifestName: String { self == .whole ? "manifest.json" : "manifest-\(number)-of-\(count).json" }
}
