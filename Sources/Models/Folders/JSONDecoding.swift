import NeuralNetwork

/// Decodes `Decodable` types from our own JSON values, so that every file is read by the same rules: of a key given twice
/// the last counts, and numbers may be written as Python writes those that are not finite.
struct JSONDecoding: Decoder {
    let value: JSON
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ value: JSON, at codingPath: [any CodingKey] = []) {
        (self.value, self.codingPath) = (value, codingPath)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw mismatch([String: Any].self) }
        let values = Dictionary(members.map { ($0.key, $0.value) }) { _, last in last }
        return KeyedDecodingContainer(Keyed<Key>(values: values, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let values) = value else { throw mismatch([Any].self) }
        return Unkeyed(values: values, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { Single(decoding: self) }

    /// A number, a word, or whatever reads itself from a decoder.
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let scalar: Any? =
            switch type {
            case is Bool.Type: value.bool
            case is String.Type: value.string
            case is Double.Type: value.double
            case is Float.Type: value.double.map { Float($0) }
            case let type as any FixedWidthInteger.Type: Self.integer(type, value)
            default: try type.init(from: self)
            }
        guard let result = scalar as? Value else { throw mismatch(type) }
        return result
    }

    private static func integer<Integer: FixedWidthInteger>(_: Integer.Type, _ value: JSON) -> Integer? {
        if case .longNumber(let digits) = value { return Integer(digits) }
        return value.int.flatMap { Integer(exactly: $0) }
    }

    private func mismatch(_ wanted: any Any.Type) -> DecodingError {
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: value.description)
        return value == .null ? .valueNotFound(wanted, context) : .typeMismatch(wanted, context)
    }

    /// A place in a list, as a key.
    struct Index: CodingKey {
        let position: Int
        var stringValue: String { "\(position)" }
        var intValue: Int? { position }
        init(_ position: Int) { self.position = position }
        init?(intValue: Int) { position = intValue }
        init?(stringValue: String) {
            guard let position = Int(stringValue) else { return nil }
            self.position = position
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let values: [String: JSON]
        let codingPath: [any CodingKey]

        var allKeys: [Key] { values.keys.compactMap { Key(stringValue: $0) } }
        func contains(_ key: Key) -> Bool { values[key.stringValue] != nil }

        private func decoding(_ key: any CodingKey) throws -> JSONDecoding {
            guard let value = values[key.stringValue] else {
                throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "no such key"))
            }
            return JSONDecoding(value, at: codingPath + [key])
        }

        func decodeNil(forKey key: Key) throws -> Bool { try decoding(key).value == .null }
        func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
            try decoding(key).decode(type)
        }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            try decoding(key).container(keyedBy: type)
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try decoding(key).unkeyedContainer()
        }
        func superDecoder() throws -> any Decoder {
            JSONDecoding(.object(values.map { .init($0.key, $0.value) }), at: codingPath)
        }
        func superDecoder(forKey key: Key) throws -> any Decoder { try decoding(key) }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let values: [JSON]
        let codingPath: [any CodingKey]
        private(set) var currentIndex = 0

        init(values: [JSON], codingPath: [any CodingKey]) { (self.values, self.codingPath) = (values, codingPath) }

        var count: Int? { values.count }
        var isAtEnd: Bool { currentIndex >= values.count }

        private func next() throws -> JSONDecoding {
            let path = codingPath + [Index(currentIndex)]
            guard !isAtEnd else {
                throw DecodingError.valueNotFound(Any.self, .init(codingPath: path, debugDescription: "the list ends"))
            }
            return JSONDecoding(values[currentIndex], at: path)
        }

        mutating func decodeNil() throws -> Bool {
            guard try next().value == .null else { return false }
            currentIndex += 1
            return true
        }
        mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
            let value = try next().decode(type)
            currentIndex += 1
            return value
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            let container = try next().container(keyedBy: type)
            currentIndex += 1
            return container
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            let container = try next().unkeyedContainer()
            currentIndex += 1
            return container
        }
        mutating func superDecoder() throws -> any Decoder {
            let decoder = try next()
            currentIndex += 1
            return decoder
        }
    }

    private struct Single: SingleValueDecodingContainer {
        let decoding: JSONDecoding
        var codingPath: [any CodingKey] { decoding.codingPath }

        func decodeNil() -> Bool { decoding.value == .null }
        func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoding.decode(type) }
    }
}
