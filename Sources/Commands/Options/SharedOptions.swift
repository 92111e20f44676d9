import ArgumentParser
import Models

/// `--threads`
struct ThreadsOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init(
            "Processor cores to use (default: all; of processes that mpirun started, its share). Changes no result but --window auto's.",
            valueName: "T"))
    var threads = Processors.available

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }
}

/// `--seed`
struct SeedOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init("Seed of all randomness: what is made is a function of it and of its own number.", valueName: "S"))
    var seed: UInt64 = 0
}

/// `--batch`
struct BatchOption: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: .init(
            "Samples under way at a time; bounds memory, and changes no sample but --window auto's.", valueName: "N"))
    var batch = 16

    func validate() throws {
        guard (1...4096).contains(batch) else {
            throw ValidationError("--batch must be from 1 to 4096, found \(batch).")
        }
    }
}

/// A whole number of things within bounds.
func checkCount(_ value: Int, _ name: String, atMost most: Int) throws {
    guard (1...most).contains(value) else {
        throw ValidationError("--\(name) must be from 1 to \(most), found \(value).")
    }
}

/// Makes usage errors of what recipes find wrong.
func checkingUsage<Value>(_ body: () throws -> Value) throws -> Value {
    do { return try body() } catch let error as RecipeError { throw ValidationError("--\(error)") }
}

/// The same of what reads a file: what is wrong with that is no error of usage, and is left for the run to say.
func checkingUsage(exceptOfFiles body: () throws -> Void) throws {
    do { try checkingUsage(body) } catch is ModelError {}
}
