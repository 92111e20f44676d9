extension VelocityMLP {
    public func floatingPointOperations(_ shape: Void) -> Double {
        let layers = timeLayers + stateLayers + conditionLayers + jointLayers + [output]
        return layers.reduce(0.0) { $0 + $1.operations }
    }
}
