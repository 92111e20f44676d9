/// Hands a network's parameters to its layers by key, and makes sure that every tensor of the weights is used exactly once.
///
/// A network is built twice from the same code: first in a dry run that only lists the parameters the layers ask for, so that
/// names and shapes can be checked as a whole before anything is read; then for good.
public final class ParameterReader {
    /// Threads for laying out the weights.
    let workspace: Workspace
    /// Of the layers that have a choice: the large products.
    let precision: Precision
    private(set) var parameters: [NetworkParameter] = []
    private let weights: NetworkWeights?
    /// Present names under the names the layers ask for.
    private var aliases: [String: String] = [:]

    /// A dry run: every parameter is an empty array.
    init() {
        weights = nil
        precision = .f32
        workspace = Workspace(threads: 1)
    }

    /// - Throws: ``CheckpointError`` listing the first ten parameters that are missing or unexpected, or naming the first
    ///   whose shape or type is wrong.
    init(
        weights: NetworkWeights, expecting expected: [NetworkParameter], precision: Precision
    ) throws(CheckpointError) {
        self.weights = weights
        self.precision = precision
        workspace = Workspace(threads: Workspace.processorCount)
        let present = weights.tensorNames
        var used: Set<String> = []
        var missing: [String] = []
        for parameter in expected {
            if let name = ([parameter.name] + Self.otherNames(of: parameter.name)).first(where: present.contains) {
                aliases[parameter.name] = name
                used.insert(name)
            } else {
                missing.append(parameter.name)
            }
        }
        let unexpected = present.subtracting(used).filter { !Self.isConstant($0) }.sorted()
        if !missing.isEmpty || !unexpected.isEmpty {
            var parts: [String] = []
            if !missing.isEmpty {
                parts.append("\(missing.count) parameters are missing: \(CheckpointError.firstTen(missing))")
            }
            if !unexpected.isEmpty {
                parts.append("\(unexpected.count) are unexpected: \(CheckpointError.firstTen(unexpected))")
            }
            throw CheckpointError(
                .mismatch, file: weights.path,
                parts.joined(separator: "; ") + "; the weights belong to another config.json")
        }
        for parameter in expected {
            guard let name = aliases[parameter.name], let shape = weights.shape(of: name) else { continue }
            // The oldest checkpoints keep the attention's matrices as 1×1 convolutions.
            guard shape == parameter.shape || (name != parameter.name && shape == parameter.shape + [1, 1]) else {
                throw CheckpointError(
                    .mismatch, file: weights.path(of: name), subject: "tensor \(weights.storedName(of: name))",
                    "has shape \(shape); config.json asks for \(parameter.shape)")
            }
        }
    }

    /// The values of a parameter, all finite, in row-major order; empty in a dry run.
    /// - Throws: ``CheckpointError`` if it is not floating point or holds NaN or infinity.
    public func read(_ name: String, _ shape: [Int]) throws(CheckpointError) -> [Float] {
        let present = aliases[name] ?? name
        parameters.append(.init(name: name, shape: shape, dtype: weights?.dtype(of: present)?.rawValue ?? "F32"))
        guard let weights else { return [] }
        let values = try weights.floats(named: present)
        // An exponent of ones means infinity or NaN; integers, so that the loop needs no order.
        var largest: UInt32 = 0
        for value in values { largest = max(largest, value.bitPattern & 0x7F80_0000) }
        guard largest < 0x7F80_0000 else {
            let index = values.firstIndex { !$0.isFinite } ?? 0
            throw CheckpointError(
                .mismatch, file: weights.path(of: present), subject: "tensor \(weights.storedName(of: present))",
                "holds \(values[index]) at index \(index); weights must be finite (training may have diverged)")
        }
        return values
    }

    /// Other names that a parameter has had: those of an attention's matrices in diffusers before 0.15, and those of a text
    /// model from transformers 5 on.
    private static func otherNames(of name: String) -> [String] {
        let pairs = [(".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value."), (".to_out.0.", ".proj_attn.")]
        for (new, old) in pairs {
            guard let position = name.lastRange(of: new) else { continue }
            return [String(name[..<position.lowerBound]) + old + String(name[position.upperBound...])]
        }
        let prefix = "text_model."
        return name.hasPrefix(prefix) ? [String(name.dropFirst(prefix.count))] : []
    }

    /// Whether a tensor is no parameter: old text models also store the numbers of their positions, 0, 1, 2, ….
    private static func isConstant(_ name: String) -> Bool { name == "text_model.embeddings.position_ids" }
}

extension String {
    fileprivate func lastRange(of text: String) -> Range<Index>? {
        var start = endIndex
        while true {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            guard start > startIndex else { return nil }
            start = index(before: start)
        }
    }
}
