// swift-tools-version: 6.1
import PackageDescription

// diffspec on several processes. A package of its own, so that diffspec itself never needs MPI.
let package = Package(
    name: "MPI",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "diffspec-mpi", targets: ["diffspec-mpi"])],
    dependencies: [.package(name: "diffspec", path: "..")],
    targets: [
        .systemLibrary(
            name: "CMPI", pkgConfig: "ompi-c",
            providers: [.apt(["libopenmpi-dev", "openmpi-bin"]), .brew(["open-mpi"])]),
        .executableTarget(
            name: "diffspec-mpi",
            dependencies: [
                "CMPI", .product(name: "Commands", package: "diffspec"),
                .product(name: "Processes", package: "diffspec"),
            ]),
        .testTarget(name: "MPITests", dependencies: ["diffspec-mpi"]),
    ]
)
