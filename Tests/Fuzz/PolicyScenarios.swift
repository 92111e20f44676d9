import Foundation
import Models
import NeuralNetwork

/// Policies in LeRobot's own folders, one of which sees, whose every file is corrupted in turn, and requests to them.
extension Scenarios {
    static func policyScenarios() throws -> [Scenario] {
        let blind = try leRobotFolder(configuration: blindText, normaliser: blindStatistics)
        let seeing = try leRobotFolder(configuration: seeingText, normaliser: seeingStatistics)
        let policy = ["policy", "--model", "r", "--steps", "4", "--window", "3", "--threads", "1"]
        let evaluate = [
            "evaluate", "--model", "r", "--input", "rows.safetensors", "--output", "o.safetensors", "--threads", "1",
        ]
        return [
            Scenario(
                name: "LeRobot policy", files: blind,
                targets: [
                    "r/config.json": .text, "r/model.safetensors": .safetensors, "r/policy_preprocessor.json": .text,
                    "r/policy_postprocessor.json": .text, "r/statistics.safetensors": .safetensors,
                    "rows.safetensors": .safetensors,
                ],
                commands: [policy, evaluate, ["inspect", "r"]], standardInput: "lines.jsonl"),
            Scenario(
                name: "LeRobot policy lines", files: blind, targets: ["lines.jsonl": .text], commands: [policy],
                standardInput: "lines.jsonl"),
            Scenario(
                name: "LeRobot camera", files: seeing,
                targets: [
                    "r/config.json": .text, "lines.jsonl": .text, "front.png": .bytes, "front.jpg": .bytes,
                    "r/model.safetensors": .safetensors,
                ],
                commands: [policy, ["inspect", "r", "--json"]], standardInput: "lines.jsonl"),
        ]
    }

    /// A folder `r` with weights as its configuration asks for them.
    private static func leRobotFolder(
        configuration: String, normaliser: [(String, [Int])]
    ) throws -> [String: [UInt8]] {
        let path = NSTemporaryDirectory() + "fuzz-\(UUID()).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: path))
        return [
            "r/config.json": Array(configuration.utf8),
            "r/model.safetensors": try tensors(leRobotParameters(configurationFile: path), of: 0.01),
            "r/policy_preprocessor.json": Array(preprocessorText.utf8),
            "r/policy_postprocessor.json": Array(postprocessorText.utf8),
            // Each statistic has another value, so that no range is zero.
            "r/statistics.safetensors": try tensors(normaliser.sorted { $0.0 < $1.0 }),
            "rows.safetensors": try tensors([
                ("raw.observation.state", [2, 1, 2]), ("raw.observation.environment_state", [2, 1, 3]),
                ("trajectory", [2, 4, 2]), ("timestep", [2]), ("plan", [1, 4, 2]),
            ]),
            "lines.jsonl": Array((configuration == blindText ? blindLines : seeingLines).utf8),
            "front.png": Array(Data(base64Encoded: png) ?? Data()),
            "front.jpg": Array(Data(base64Encoded: jpeg) ?? Data()),
        ]
    }

    private static let blindStatistics: [(String, [Int])] = ["min", "max", "mean", "std"].flatMap {
        [("action.\($0)", [2]), ("observation.state.\($0)", [2]), ("observation.environment_state.\($0)", [3])]
    }

    private static let seeingStatistics: [(String, [Int])] = ["min", "max", "mean", "std"].flatMap {
        [("action.\($0)", [2]), ("observation.state.\($0)", [2]), ("observation.image.\($0)", [3, 1, 1])]
    }

    private static let networkText = """
        "n_obs_steps": 1, "horizon": 4, "n_action_steps": 2, "down_dims": [8, 16], "kernel_size": 3, "n_groups": 4,
        "diffusion_step_embed_dim": 8, "use_film_scale_modulation": true, "noise_scheduler_type": "DDPM",
        "num_train_timesteps": 20, "beta_schedule": "squaredcos_cap_v2", "beta_start": 0.0001, "beta_end": 0.02,
        "prediction_type": "epsilon", "clip_sample": true, "clip_sample_range": 1.0, "num_inference_steps": null,
        "normalization_mapping": {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX", "ACTION": "MIN_MAX"},
        "output_features": {"action": {"type": "ACTION", "shape": [2]}}
        """

    private static let blindText = """
        {"type": "diffusion", \(networkText), "input_features": {"observation.state": {"type": "STATE", "shape": [2]},
        "observation.environment_state": {"type": "ENV", "shape": [3]}}}
        """

    private static let seeingText = """
        {"type": "diffusion", \(networkText), "input_features": {"observation.state": {"type": "STATE", "shape": [2]},
        "observation.image": {"type": "VISUAL", "shape": [3, 6, 8]}}, "vision_backbone": "resnet18", "resize_shape": [7, 9],
        "crop_ratio": 0.8, "crop_shape": null, "use_group_norm": true, "spatial_softmax_num_keypoints": 2,
        "use_separate_rgb_encoder_per_camera": false}
        """

    private static let preprocessorText = """
        {"name": "policy_preprocessor", "steps": [
        {"registry_name": "rename_observations_processor", "config": {"rename_map": {"joints": "observation.state"}}},
        {"registry_name": "to_batch_processor", "config": {}},
        {"registry_name": "normalizer_processor", "config": {"eps": 1e-08, "norm_map": {"VISUAL": "MEAN_STD", "STATE": "MIN_MAX"}},
         "state_file": "statistics.safetensors"}]}
        """

    private static let postprocessorText = """
        {"name": "policy_postprocessor", "steps": [
        {"registry_name": "unnormalizer_processor", "config": {"eps": 1e-08, "norm_map": {"ACTION": "MIN_MAX"}},
         "state_file": "statistics.safetensors"},
        {"registry_name": "device_processor", "config": {"device": "cpu"}}]}
        """

    private static let blindLines = """
        {"observation": {"joints": [[0.1, 0.2]], "observation.environment_state": [[1, 2, 3]]}, "seed": 7, "session": "a"}
        {"observation": {"observation.state": [[0.1, 0.2]], "observation.environment_state": [[1, 2, 3]]}, "session": "a", "executed": 1}
        {"observation": [{"observation.state": [[1, 2]], "observation.environment_state": [[1, 2, 3]]}], "seed": [3]}

        """

    private static let seeingLines = """
        {"observation": {"observation.image": ["front.png"], "observation.state": [[0.1, 0.2]]}, "seed": 7}
        {"observation": {"observation.image": ["front.jpg"], "observation.state": [[0.1, 0.2]]}}
        {"observation": {"observation.image": [{"base64": "\(png)"}], "observation.state": [[0.1, 0.2]]}}
        {"observation": {"observation.image": [{"shared_memory": "/none", "offset": 8}], "observation.state": [[0.1, 0.2]]}}

        """

    /// A picture of 8×6 pixels.
    private static let png =
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAGCAIAAABxZ0isAAAAKUlEQVR4nGNkYGCQx4ZYGDQYGBhYMRFcggsNIUvwIyM0CRE4wpSQhCAA/zEDYP"
        + "1Q/WYAAAAASUVORK5CYII="

    /// The same.
    private static let jpeg =
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5aYV"
        + "pQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAARCAAG"
        + "AAgDASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEGE1FhBy"
        + "JxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKT"
        + "lJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAA"
        + "AAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYkNOEl8RcYGRom"
        + "JygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExc"
        + "bHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwCrpPhuBtv3fyooorz6XvRvI2y/F1vYL3j/2Q=="
}
