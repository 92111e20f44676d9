// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "diffspec",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "diffspec", targets: ["diffspec"]),
        .library(name: "Couplings", targets: ["Couplings"]),
        .library(name: "FiniteAlphabets", targets: ["FiniteAlphabets"]),
        .library(name: "TokenModels", targets: ["TokenModels"]),
        .library(name: "Diffusion", targets: ["Diffusion"]),
        .library(name: "NeuralNetwork", targets: ["NeuralNetwork"]),
        .library(name: "Imaging", targets: ["Imaging"]),
        .library(name: "Models", targets: ["Models"]),
        .library(name: "Verification", targets: ["Verification"]),
        .library(name: "Processes", targets: ["Processes"]),
        .library(name: "Jobs", targets: ["Jobs"]),
        .library(name: "DiffSpec", targets: ["DiffSpec"]),
        .library(name: "Commands", targets: ["Commands"]),
        // libdiffspec.so: SwiftPM has one name for a program and a library, so the library's is short of its own.
        .library(name: "diffspecc", type: .dynamic, targets: ["CInterface"]),
    ],
    traits: [
        .trait(name: "GLPK", description: "Solve linear programs with the GNU Linear Programming Kit (libglpk-dev).")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        // For `swift package generate-documentation` alone: no target links it.
        .package(url: "https://github.com/swiftlang/swift-docc-plugin", from: "1.4.0"),
    ],
    targets: [
        .target(name: "Platform"),
        // Loops in C, for each kind of processor.
        .target(name: "CKernels"),
        // How to make two samples equal: no I/O.
        .target(name: "Couplings", dependencies: ["CKernels", "Platform"]),
        // Couplings, drafts and limits on finite alphabets; linear programs by GLPK with the trait of that name.
        .systemLibrary(name: "CGLPK", providers: [.apt(["libglpk-dev"]), .brew(["glpk"])]),
        .target(
            name: "FiniteAlphabets",
            dependencies: ["Couplings", "Platform", .target(name: "CGLPK", condition: .when(traits: ["GLPK"]))]),
        // Models of text and the speculative decoder over them.
        .target(name: "TokenModels", dependencies: ["Couplings", "FiniteAlphabets", "NeuralNetwork", "Platform"]),
        // Chains, drafts and the speculative loop: pure Swift, no I/O.
        .target(name: "Diffusion", dependencies: ["Couplings", "Platform"]),
        // Two-sample tests, for the checks of exactness.
        .target(name: "Statistics", dependencies: ["Platform"]),
        // The statistical suite itself, shared by the command line and the tests.
        .target(name: "Verification", dependencies: ["Couplings", "Diffusion", "FiniteAlphabets", "Statistics"]),
        // Checkpoints and inference on the CPU.
        .target(name: "NeuralNetwork", dependencies: ["CKernels", "Platform"]),
        // Pictures.
        .systemLibrary(
            name: "CPNG", pkgConfig: "libpng",
            providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),
        .target(
            name: "Imaging", dependencies: ["CPNG", "Platform"],
            exclude: ["Typeface/LICENSE", "Typeface/make_typeface.py"]),
        // A model folder as a chain: where the network meets the mathematics.
        .target(
            name: "Models", dependencies: ["Diffusion", "FiniteAlphabets", "NeuralNetwork", "Platform", "Statistics"]),
        // The account of a run, as all programs print it.
        .target(name: "Reports", dependencies: ["Diffusion", "Models", "NeuralNetwork", "Platform", "Statistics"]),
        // Networks of programs in other languages as targets: the library libdiffspec with the header diffspec.h.
        .target(
            name: "CInterface",
            dependencies: [
                "Couplings", "Diffusion", "FiniteAlphabets", "Models", "NeuralNetwork", "Platform", "Reports",
            ],
            exclude: ["diffspec.h"]),
        // One computation on many processes, whatever connects them.
        .target(name: "Processes", dependencies: ["Diffusion"]),
        // Runs as values: samples, jobs that survive, experiments, a policy's server.
        .target(
            name: "Jobs",
            dependencies: [
                "Couplings", "Diffusion", "FiniteAlphabets", "Imaging", "Models", "NeuralNetwork", "Platform",
                "Processes",
                "Reports", "Statistics", "TokenModels", "Verification",
            ]),
        // What a program imports that samples: all of the above that it needs.
        .target(name: "DiffSpec", dependencies: ["Couplings", "Diffusion", "Imaging", "Models"]),
        // The command line, for the programs that start it: diffspec, and diffspec-mpi in the package MPI.
        .target(
            name: "Commands",
            dependencies: [
                "FiniteAlphabets", "Jobs", "Models", "NeuralNetwork", "Platform", "Processes", "Reports",
                "Verification",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Sources/Commands"),
        .executableTarget(name: "diffspec", dependencies: ["Commands"], path: "Sources/Programs/diffspec"),
        // Programs that use the library, to be read.
        .executableTarget(
            name: "SampleAndSave", dependencies: ["DiffSpec"], path: "examples/SampleAndSave"),
        .executableTarget(name: "OwnDenoiser", dependencies: ["DiffSpec"], path: "examples/OwnDenoiser"),
        .executableTarget(name: "OwnChain", dependencies: ["Diffusion"], path: "examples/OwnChain"),
        // Mutated files and command lines, see Tests/Fuzz/README.md.
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Commands", "Couplings", "NeuralNetwork", "Models", "TokenModels",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/Fuzz", exclude: ["README.md"]),
        .testTarget(name: "CouplingsTests", dependencies: ["Couplings", "Statistics"]),
        .testTarget(name: "FiniteAlphabetsTests", dependencies: ["Couplings", "FiniteAlphabets", "Verification"]),
        .testTarget(
            name: "TokenModelsTests", dependencies: ["Couplings", "FiniteAlphabets", "NeuralNetwork", "TokenModels"],
            exclude: ["make_llama_cases.py"],
            resources: [.copy("Fixtures")]),
        .testTarget(
            name: "DiffusionTests", dependencies: ["Diffusion", "Statistics", "Verification"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "ProcessesTests", dependencies: ["Couplings", "Diffusion", "Processes"]),
        .testTarget(name: "JobsTests", dependencies: ["Diffusion", "Jobs", "Reports"]),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics"]),
        .testTarget(name: "VerificationTests", dependencies: ["Couplings", "Diffusion", "Verification"]),
        .testTarget(
            name: "NeuralNetworkTests", dependencies: ["NeuralNetwork"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "ImagingTests", dependencies: ["Imaging", "CPNG"]),
        .testTarget(
            name: "ModelsTests", dependencies: ["Models", "Statistics"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["diffspec", "fuzz", "SampleAndSave", "OwnDenoiser", "Commands", "Imaging", "Jobs", "Models"]),
    ]
)
