/// A network: rows of numbers and what conditions them in, rows of numbers out, on the CPU in single precision,
/// but perhaps for its large products (``Precision``).
///
/// A network says what is its own: its configuration, its layers, the way of some rows through them, and what it costs.
/// Everything else is the same for all of them and is written once, in extensions of this protocol: loading a folder with
/// every parameter accounted for (``init(folder:)``), calls with checked inputs (``callAsFunction(_:threads:)``), large
/// batches in several passes, memory kept from call to call, and the profile of a call (``profile(_:threads:)``).
///
/// Networks are immutable values, to be shared freely; calls may run at the same time. Rows of a batch do not touch each
/// other: a row's output must be the same, bit for bit, whatever stands beside it, wherever it stands, and whatever the
/// number of threads. The layers of this module keep that promise, and ``forward(_:_:_:into:_:)`` must not break it.
///
/// # Adding a network
///
/// A network is a folder of its own beside `UNet2D`, under the name of its type. No other file of this module changes:
///
/// 1. `MyNetworkConfiguration.swift`: a ``NetworkConfiguration``, which reads `config.json` through a
///    ``ConfigurationReader`` and names the class that the file states as `_class_name`.
/// 2. `MyNetwork.swift`: the layers as constants, read in ``init(_:_:)`` under the keys of the checkpoint. The initialiser
///    runs twice: first with a reader that only lists what is asked for and answers with empty arrays, so that names and
///    shapes can be compared with the file's as a whole; then with the file's values. Last, it sets
///    ``resources`` to ``ParameterReader/resources``.
/// 3. `MyNetwork+Forward.swift`: ``forward(_:_:_:into:_:)``, the sizes of a row, and the checks of its shape and
///    conditioning. A network whose rows have one shape only takes `Void` as its ``Shape``, one without conditioning `Void`
///    as its ``Conditioning``; one that reads token numbers takes `Int` as its ``Element``.
/// 4. `MyNetwork+Cost.swift`: ``floatingPointOperations(_:)``, the sum of its layers' `operations`.
/// 5. A test with a small checkpoint and the output that the network's public implementation gives for it.
///
/// What runs such networks (the kinds of model folders, the commands) is another module's business. `NetworkProtocolTests`
/// adds a network in the tests alone.
public protocol Network: Sendable {
    associatedtype Configuration: NetworkConfiguration
    /// What a row is made of: `Float`, or `Int` for a network of token numbers.
    associatedtype Element: Sendable = Float
    /// What a caller may choose about all rows of a call, such as an image's height and width.
    associatedtype Shape: Sendable = Void
    /// What else a call's rows depend on, for all of them: times, labels, observations, embeddings of a text.
    associatedtype Conditioning: Sendable = Void

    var configuration: Configuration { get }
    /// The checkpoint's parameters, and the memory of past calls: ``ParameterReader/resources``.
    var resources: NetworkResources { get }

    /// Lays out the layers, each with its parameters from `reader`.
    /// - Throws: ``CheckpointError`` if a parameter holds numbers that are not finite.
    init(_ configuration: Configuration, _ reader: ParameterReader) throws(CheckpointError)

    /// The dimensions of one row of the input and of the output; their product is the number of elements.
    func inputDimensions(_ shape: Shape) -> [Int]
    func outputDimensions(_ shape: Shape) -> [Int]
    /// The most rows that one pass should take: enough to keep the products large, few enough to bound the memory. At least 1.
    func rowsPerPass(_ shape: Shape) -> Int

    /// Floating-point operations a row, counted as the textbook does: two for every multiplication of a layer. A `Double`,
    /// for a configuration may name any size.
    func floatingPointOperations(_ shape: Shape) -> Double

    /// - Throws: ``NetworkInputError`` if the network cannot take rows of this shape.
    func check(_ shape: Shape) throws(NetworkInputError)
    /// - Throws: ``NetworkInputError`` if the conditioning is not sound, or not that of so many rows.
    func check(_ conditioning: Conditioning, rows: Int) throws(NetworkInputError)

    /// The way of a pass's rows through the layers. Everything has been checked, and there is at least one row.
    /// - Parameters:
    ///   - sample: the pass's rows, one after the other.
    ///   - shape: of each row.
    ///   - conditioning: of all rows of the call; those of the pass are ``Pass/rows``.
    ///   - output: room for the pass's rows, one after the other.
    ///   - pass: which rows of the call these are, and the memory for their activations.
    func forward(
        _ sample: UnsafePointer<Element>, _ shape: Shape, _ conditioning: Conditioning,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass)
}

extension Network {
    public typealias Input = NetworkInput<Element, Shape, Conditioning>

    /// Every parameter with its key and shape as the checkpoint holds it, in the network's order.
    public var parameters: [NetworkParameter] { resources.parameters }

    /// The number of weights.
    public var parameterCount: Int { parameters.reduce(0) { $0 + $1.count } }
}

extension Network where Shape == Void {
    public func check(_ shape: Void) throws(NetworkInputError) {}

    /// Floating-point operations a row.
    public var floatingPointOperations: Double { floatingPointOperations(()) }
}

extension Network where Conditioning == Void {
    public func check(_ conditioning: Void, rows: Int) throws(NetworkInputError) {}
}
