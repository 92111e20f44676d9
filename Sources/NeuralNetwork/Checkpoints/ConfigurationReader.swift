/// Reads typed values out of a `config.json`, with errors that name the key, the value and what is supported.
public struct ConfigurationReader {
    public let file: String
    let json: JSON

    /// - Throws: ``CheckpointError`` if the file cannot be read or is not a JSON object.
    public init(path: String) throws(CheckpointError) {
        try self.init(text: MappedFile.contents(of: path, atMost: 1_000_000), file: path)
    }

    public init(text: some Sequence<UInt8>, file: String) throws(CheckpointError) {
        self.file = file
        do {
            json = try JSON(parsing: text)
        } catch {
            throw CheckpointError(.malformed, file: file, "\(error)")
        }
        guard case .object = json else { throw CheckpointError(.malformed, file: file, "is not a JSON object") }
    }

    /// Keys and values in the order of the file, those given twice among them.
    package var members: [JSON.Member] { if case .object(let members) = json { members } else { [] } }

    /// The value, or nil when it is absent or null.
    public func value(_ key: String) -> JSON? {
        guard let value = json[key], value != .null else { return nil }
        return value
    }

    /// True if the key is present with the value null.
    public func isNull(_ key: String) -> Bool { json[key] == .null }

    public func unsupported(_ key: String, _ value: JSON, supported: String) -> CheckpointError {
        CheckpointError(
            .unsupported, file: file, subject: "key \(key)",
            "the value \(CheckpointError.shortened(value.description)) is not supported; supported: \(supported)")
    }

    public func integer(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let integer = value.int, range.contains(integer) else {
            throw unsupported(key, value, supported: "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// A list of integers; nil if absent.
    /// - Parameters:
    ///   - key: of the list.
    ///   - range: between what bounds each integer may lie.
    ///   - count: how many there may be.
    public func integers(
        _ key: String, in range: ClosedRange<Int>, count: ClosedRange<Int>
    ) throws(CheckpointError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let integers = value.array?.map(\.int)
        guard let integers, count.contains(integers.count), integers.allSatisfy({ $0.map(range.contains) ?? false })
        else {
            throw unsupported(
                key, value,
                supported: "a list of \(count.lowerBound) to \(count.upperBound) integers from \(range.lowerBound) to "
                    + "\(range.upperBound)")
        }
        return integers.compactMap { $0 }
    }

    public func number(_ key: String, _ supported: String, _ isSupported: (Double) -> Bool) throws(CheckpointError)
        -> Double?
    {
        guard let value = value(key) else { return nil }
        guard let number = value.double, number.isFinite, isSupported(number) else {
            throw unsupported(key, value, supported: supported)
        }
        return number
    }

    /// What was read of a key that must be there.
    /// - Parameters:
    ///   - value: as it was read; nil where the file has none.
    ///   - key: for the error.
    ///   - meaning: of its value.
    public func required<Value>(_ value: Value?, _ key: String, _ meaning: String) throws(CheckpointError) -> Value {
        guard let value else {
            throw CheckpointError(.unsupported, file: file, subject: "key \(key)", "is missing; expected \(meaning)")
        }
        return value
    }

    /// An activation by diffusers' name for it.
    func activation(_ key: String) throws(CheckpointError) -> Activation? {
        guard let value = value(key) else { return nil }
        guard let name = value.string, let activation = Activation(diffusersName: name) else {
            throw unsupported(key, value, supported: "silu, swish, mish, gelu, relu")
        }
        return activation
    }

    public func flag(_ key: String) throws(CheckpointError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.bool else { throw unsupported(key, value, supported: "true or false") }
        return flag
    }

    public func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _: Value.Type) throws(CheckpointError)
        -> Value?
    where Value.RawValue == String {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let choice = Value(rawValue: text) else {
            throw unsupported(key, value, supported: Self.list(Value.self))
        }
        return choice
    }

    /// A list of choices; `former` is a prefix that old files may put before each.
    public func choices<Value: RawRepresentable & CaseIterable>(
        _ key: String, former: String, _: Value.Type
    ) throws(CheckpointError) -> [Value]? where Value.RawValue == String {
        guard let value = value(key) else { return nil }
        guard let items = value.array else {
            throw unsupported(key, value, supported: "a list of \(Self.list(Value.self))")
        }
        var result: [Value] = []
        for item in items {
            guard let text = item.string,
                let choice = Value(rawValue: text.hasPrefix(former) ? String(text.dropFirst(former.count)) : text)
            else {
                throw unsupported(key, item, supported: Self.list(Value.self))
            }
            result.append(choice)
        }
        return result
    }

    private static func list<Value: RawRepresentable & CaseIterable>(_: Value.Type) -> String
    where Value.RawValue == String {
        Value.allCases.map(\.rawValue).joined(separator: ", ")
    }
}
