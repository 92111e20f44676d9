import NeuralNetwork

/// Rows to evaluate a network on, from a safetensors file.
struct NetworkRows {
    let file: SafetensorsFile

    /// The shape of a tensor.
    /// - Parameters:
    ///   - expected: its dimensions by name, `[N, 3, height, width]`; what is a number must be that.
    func shape(of name: String, _ expected: [String]) throws -> [Int] {
        let shape = file.shape(of: name)
        guard let shape, shape.count == expected.count,
            zip(shape, expected).allSatisfy({ Int($1) == nil || Int($1) == $0 })
        else {
            throw ModelError(
                file.path, key: name, expected: "a tensor [\(expected.list)]", found: shape.map { "\($0)" } ?? "none")
        }
        return shape
    }

    func holdsIntegers(_ name: String) -> Bool { file.dtype(of: name) == .i64 || file.dtype(of: name) == .i32 }

    /// `timestep` `[batch]`, numbers or integers.
    func timesteps(_ batch: Int) throws -> [Float] {
        if holdsIntegers("timestep") { return try file.integers(named: "timestep", shape: [batch]).map { Float($0) } }
        return try file.floats(named: "timestep", shape: [batch])
    }
}
