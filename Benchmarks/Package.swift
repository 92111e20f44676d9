// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [.package(name: "diffspec", path: "..")],
    targets: [
        .executableTarget(
            name: "corridors",
            dependencies: ["Couplings", "Diffusion"].map { .product(name: $0, package: "diffspec") }),
        .executableTarget(
            name: "coupling-benchmark",
            dependencies: ["Couplings", "FiniteAlphabets"].map { .product(name: $0, package: "diffspec") }),
        .executableTarget(
            name: "energy-benchmark",
            dependencies: [
                .product(name: "Couplings", package: "diffspec"), .product(name: "Diffusion", package: "diffspec"),
            ]),
        .executableTarget(
            name: "fidelity-figure", dependencies: [.product(name: "Imaging", package: "diffspec")]),
        .executableTarget(
            name: "field",
            dependencies: ["Couplings", "Diffusion", "Imaging", "Models", "NeuralNetwork"].map {
                .product(name: $0, package: "diffspec")
            }),
        .executableTarget(
            name: "network-benchmark", dependencies: [.product(name: "NeuralNetwork", package: "diffspec")]),
        .executableTarget(
            name: "paper-figures",
            dependencies: ["Couplings", "Diffusion", "Imaging"].map { .product(name: $0, package: "diffspec") }),
        .executableTarget(
            name: "policy-benchmark",
            dependencies: ["Couplings", "Diffusion", "NeuralNetwork", "Models"].map {
                .product(name: $0, package: "diffspec")
            }),
        .executableTarget(
            name: "token-experiments",
            dependencies: ["Couplings", "FiniteAlphabets", "Imaging", "NeuralNetwork"].map {
                .product(name: $0, package: "diffspec")
            }),
    ]
)
