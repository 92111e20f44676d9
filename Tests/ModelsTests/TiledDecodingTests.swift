import Foundation
import NeuralNetwork
import Testing

@testable import Models

@Suite("Decoding in tiles")
struct TiledDecodingTests {
    static let network = ImageModelTests.weights.deletingLastPathComponent()
        .appendingPathComponent("Tests/NeuralNetworkTests/Fixtures/latent/kl-sd").path

    /// diffusers 0.42.1: `tiled_decode` of a latent of 19×14 with tiles of 8, of which the last of each column is one high.
    @Test func tilesAreBlendedAsDiffusersDoes() throws {
        let expected = try SafetensorsFile(
            path: try #require(Bundle.module.resourceURL)
                .appendingPathComponent("Fixtures/tiled-decoding.safetensors").path)
        let autoencoder = try AutoencoderKL(folder: Self.network)
        let latent = try expected.floats(named: "latent", shape: [1, 4, 19, 14])
        let tiled = try #require(TiledDecoding(autoencoder, tile: 8))
        let found = try tiled(latent, height: 19, width: 14, threads: 2)
        let wanted = try expected.floats(named: "tiled", shape: [1, 3, 76, 56])
        // Pictures deviate by 0.44; a few dozen layers of single precision.
        #expect(zip(found, wanted).allSatisfy { abs($0 - $1) < 2e-5 } && found.count == wanted.count)
        // The whole latent's picture is another one.
        let whole = try autoencoder.decode(latent, count: 1, height: 19, width: 14, threads: 2)
        #expect(zip(found, whole).contains { abs($0 - $1) > 0.1 })
    }

    /// Pictures up to a megapixel are decoded as a whole, larger ones in tiles as large as the training's.
    @Test func largePicturesAreTiled() throws {
        let autoencoder = try AutoencoderKL(folder: Self.network)
        #expect(TiledDecoding(autoencoder, height: 256, width: 256) == nil)
        #expect(TiledDecoding(autoencoder, height: 257, width: 256)?.tile == 8)
        #expect(TiledDecoding(autoencoder, tile: 3) == nil)
    }
}
