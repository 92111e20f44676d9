import NeuralNetwork

/// One of the things that a policy observes at each of its latest steps.
public struct PolicyFeature: Sendable {
    public enum Kind: Sendable, Equatable {
        /// So many numbers.
        case numbers(Int)
        /// A camera's picture, red, green and blue from 0 to 1.
        case picture(height: Int, width: Int)
    }

    public static let pictureChannels = 3

    /// `observation.state`; "observation" of a policy that knows but one.
    public let name: String
    public let kind: Kind
    /// Of every number, or of every channel of a picture.
    let scalings: [NumberScaling]

    var isPicture: Bool { if case .picture = kind { true } else { false } }

    /// The numbers of one step.
    public var count: Int {
        switch kind {
        case .numbers(let count): count
        case .picture(let height, let width): Self.pictureChannels * height * width
        }
    }

    /// Between what values each number, or each channel, lay for the most part in the training data.
    public var ranges: [ClosedRange<Double>] {
        scalings.map { scaling in
            let ends = [scaling.restored(-1), scaling.restored(1)]
            return min(ends[0], ends[1])...max(ends[0], ends[1])
        }
    }

    /// `[steps]` and then the dimensions of one step, for messages.
    func shape(steps: Int) -> [Int] {
        switch kind {
        case .numbers(let count): [steps, count]
        case .picture(let height, let width): [steps, Self.pictureChannels, height, width]
        }
    }

    /// As the network, or its encoder, sees values `[steps][…]`.
    func normalised(_ values: PolicyObservation.Values) -> [Float] {
        switch values {
        case .numbers(let numbers):
            return numbers.enumerated().map { Float(scalings[$0 % scalings.count].normalised($1)) }
        case .pictures(var pictures):
            let pixels = count / scalings.count
            for first in stride(from: 0, to: pictures.count, by: pixels) {
                let scaling = scalings[first / pixels % scalings.count]
                let (origin, unit, offset) = (Float(scaling.origin), Float(scaling.unit), Float(scaling.offset))
                for index in first..<min(first + pixels, pictures.count) {
                    pictures[index] = (pictures[index] - origin) / unit + offset
                }
            }
            return pictures
        }
    }
}

/// What a robot has seen at its latest steps.
public struct PolicyObservation: Sendable {
    public enum Values: Sendable {
        /// `[steps][count]`, oldest first, in the units of the training data.
        case numbers([Double])
        /// `[steps][3][height][width]`, oldest first, from 0 to 1.
        case pictures([Float])

        var count: Int {
            switch self {
            case .numbers(let numbers): numbers.count
            case .pictures(let pictures): pictures.count
            }
        }
    }

    /// By the feature's name.
    public var values: [String: Values]

    public init(_ values: [String: Values]) { self.values = values }
}
