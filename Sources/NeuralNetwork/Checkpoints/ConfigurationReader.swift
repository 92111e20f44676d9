/// Reads typed values out of a `config.json`, with errors that name the key, the value and what is supported.
package struct ConfigurationReader {
    package let file: String
    let json: JSON

    /// - Throws: ``CheckpointError`` if the file cannot be read or is not a JSON object.
    package init(path: String) throws(CheckpointError) {
        try self.init(text: MappedFile.contents(of: path, atMost: 1_000_000), file: path)
    }

    package init(text: some Sequence<UInt8>, file: String) throws(CheckpointError) {
        self.file = file
        do {
            json = try JSON(parsing: text)
        } catch {
            throw CheckpointError(.malformed, file: file, "\(error)")
        }
        guard case .object = json else { throw CheckpointError(.malformed, file: file, "is not a JSON object") }
    }

    /// The value, or nil when it is absent or null.
    package func value(_ key: String) -> JSON? {
        guard let value = json[key], value != .null else { return nil }
        return value
    }

    /// True if the key is present with the value null.
    func isNull(_ key: String) -> Bool { json[key] == .null }

    package func unsupported(_ key: String, _ value: JSON, supported: String) -> CheckpointError {
        CheckpointError(
            .unsupported, file: file, subject: "key \(key)",
            "the value \(CheckpointError.shortened(value.text)) is not supported; supported: \(supported)")
    }

    package func integer(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let integer = value.int, range.contains(integer) else {
            throw unsupported(key, value, supported: "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    /// A list of integers; nil if absent.
    func integers(_ key: String, in range: ClosedRange<Int>) throws(CheckpointError) -> [Int]? {
        guard let value = value(key) else { return nil }
        let integers = value.array?.map(\.int)
        guard let integers, integers.allSatisfy({ $0.map(range.contains) ?? false }) else {
            throw unsupported(
                key, value, supported: "a list of integers from \(range.lowerBound) to \(range.upperBound)")
        }
        return integers.compactMap { $0 }
    }

    package func number(_ key: String, _ supported: String, _ isSupported: (Double) -> Bool) throws(CheckpointError)
        -> Double?
    {
        guard let value = value(key) else { return nil }
        guard let number = value.double, number.isFinite, isSupported(number) else {
            throw unsupported(key, value, supported: supported)
        }
        return number
    }

    package func flag(_ key: String) throws(CheckpointError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.bool else { throw unsupported(key, value, supported: "true or false") }
        return flag
    }

    package func choice<Value: RawRepresentable & CaseIterable>(_ key: String, _: Value.Type) throws(CheckpointError)
        -> Value?
    where Value.RawValue == String {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let choice = Value(rawValue: text) else {
            throw unsupported(key, value, supported: Self.list(Value.self))
        }
        return choice
    }

    /// A list of choices; `former` is a prefix that old files may put before each.
    func choices<Value: RawRepresentable & CaseIterable>(
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
