import Diffusion

/// What process 0 tells the others: the rows of a call, or that there will be no more.
enum CallMessage {
    case rows([DenoiserQuery])
    case release

    /// Numbers of a row before its state: its time, the kind of its condition and that condition's number.
    private static let headCount = 3

    /// Numbers that every message has, for a broadcast's size must be known beforehand.
    /// - Parameters:
    ///   - capacity: the most rows.
    ///   - dimension: of a state.
    static func size(capacity: Int, dimension: Int) -> Int { 1 + capacity * (headCount + dimension) }

    /// As a broadcast carries it: the number of rows, 0 for the release, then the rows.
    func numbers(capacity: Int, dimension: Int) -> [Double] {
        let size = Self.size(capacity: capacity, dimension: dimension)
        var numbers: [Double] = []
        numbers.reserveCapacity(size)
        switch self {
        case .release: numbers.append(0)
        case .rows(let queries):
            numbers.append(Double(queries.count))
            for query in queries {
                let (kind, number) = query.condition.numbers
                numbers += [query.time, Double(kind), Double(number)]
                numbers.append(contentsOf: query.state)
            }
        }
        numbers.append(contentsOf: repeatElement(0, count: size - numbers.count))
        return numbers
    }

    init(numbers: [Double], dimension: Int) {
        let count = Int(numbers[0])
        guard count > 0 else {
            self = .release
            return
        }
        self = .rows(
            (0..<count).map { row in
                let start = 1 + row * (Self.headCount + dimension)
                let state = start + Self.headCount
                return DenoiserQuery(
                    state: Array(numbers[state..<state + dimension]), time: numbers[start],
                    condition: Condition(kind: Int(numbers[start + 1]), number: Int(numbers[start + 2])))
            })
    }
}

extension Condition {
    fileprivate var numbers: (kind: Int, number: Int) {
        switch self {
        case .none: (0, 0)
        case .label(let number): (1, number)
        case .prepared(let number): (2, number)
        }
    }

    fileprivate init(kind: Int, number: Int) {
        switch kind {
        case 1: self = .label(number)
        case 2: self = .prepared(number)
        default: self = .none
        }
    }
}
