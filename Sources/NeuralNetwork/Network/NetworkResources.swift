/// What every network keeps beside its layers: an account of its parameters, and the memory and threads of past calls for the
/// next ones. A network gets it from ``ParameterReader/resources``, after its last layer.
public struct NetworkResources: Sendable {
    let parameters: [NetworkParameter]
    let workspaces = WorkspacePool()
}

extension ParameterReader {
    /// Everything that was read, in order, and no memory yet.
    public var resources: NetworkResources { NetworkResources(parameters: parameters) }
}
