import NeuralNetwork

/// The keys of a scheduler's configuration beyond those that are read: each is known to leave the law of our chains alone,
/// or its value must be the one that does, or it is refused. What is not known could change the law in silence.
enum SchedulerKeys {
    /// Of the scheduler's own solver, whose steps ours take the place of.
    private static let solver: Set<String> = [
        "algorithm_type", "solver_order", "solver_type", "solver_p", "predict_x0", "disable_corrector",
        "predictor_order", "corrector_order", "lower_order_final", "euler_at_final", "tau_func", "eta",
        "noise_sampler_seed", "set_alpha_to_one", "set_alpha_to_zero", "skip_prk_steps", "stochastic_sampling",
        "tensor_format", "timestep_values",
    ]
    /// Of where its solver's steps lie, or between what bounds: known, and said in a note where they are set.
    private static let grid: Set<String> = [
        "use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "num_inference_steps",
    ]
    private static let silentGrid: Set<String> = [
        "final_sigmas_type", "lambda_min_clipped", "interpolation_type", "sigma_min", "sigma_max", "sampling_eps",
        // Of flows: where their steps lie.
        "flow_shift", "shift", "base_shift", "max_shift", "base_image_seq_len", "max_image_seq_len", "shift_terminal",
        "use_dynamic_shifting", "time_shift_type",
    ]
    /// Of clipping by quantiles, which is refused where it is asked for.
    private static let thresholding: Set<String> = ["dynamic_thresholding_ratio", "sample_max_value"]

    /// - Parameters:
    ///   - understood: read elsewhere.
    ///   - allowsFlow: whether the flow schedule takes the place of the file's.
    ///   - flowRemedy: what to do about a flow otherwise, if there is something.
    /// - Returns: notes on what is not followed.
    /// - Throws: `ModelError` naming a key that changes the law or is not known.
    static func notes(
        of members: [JSON.Member], understood: Set<String>, allowsFlow: Bool, flowRemedy: String?, file: String
    ) throws(ModelError) -> [String] {
        var notes: [String] = []
        for member in members where !understood.contains(member.key) && !member.key.hasPrefix("_") {
            let (key, value) = (member.key, member.value)
            let isSet = value != .null && value != .bool(false)
            switch key {
            case _ where solver.contains(key) || silentGrid.contains(key) || thresholding.contains(key): break
            case _ where grid.contains(key):
                if isSet {
                    notes.append(
                        "\(file): \"\(key)\" says which steps the model's own scheduler takes, and is not followed")
                }
            case "use_flow_sigmas":
                if isSet, !allowsFlow {
                    throw ModelError(
                        file, key: key, expected: "false", found: value.description, remedy: flowRemedy)
                }
            case "timestep_type":
                if value != .null, value != .string("discrete") {
                    throw ModelError(
                        file, key: key, expected: "\"discrete\"", found: value.description,
                        remedy: "a network that is told ln σ for the time can't be sampled")
                }
            case "invert_sigmas", "continuous":
                if isSet { throw ModelError(file, key: key, expected: "false", found: value.description) }
            case _ where value == .null: break
            default:
                throw ModelError(
                    file, key: key, expected: "a key whose meaning for this scheduler is known",
                    found: String("\(key): \(value)".prefix(80)),
                    remedy: "remove the key if the network was trained without it")
            }
        }
        return notes
    }
}
