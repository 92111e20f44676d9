// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "diffspec", path: "..")],
    targets: [
        .executableTarget(
            name: "network-benchmark", dependencies: [.product(name: "NeuralNetwork", package: "diffspec")])
    ]
)
