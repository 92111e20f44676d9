import CKernels

/// The activation functions diffusers offers (`models/activations.py`).
public enum Activation: String, CaseIterable, Sendable {
    /// x · sigmoid(x), also called swish.
    case silu
    /// x · tanh(log(1 + eˣ)).
    case mish
    /// x · Φ(x), exactly (not the tanh approximation).
    case gelu
    /// max(x, 0).
    case relu
    /// x · sigmoid(1.702 x), as CLIP has it; diffusers' networks do not.
    case quickGELU = "quick_gelu"

    /// The function diffusers means by `name`, in any case of letters.
    public init?(diffusersName name: String) {
        let name = name.lowercased()
        guard name != Self.quickGELU.rawValue else { return nil }
        self.init(rawValue: name == "swish" ? "silu" : name)
    }

    /// Applies the function to `count` floats, in place.
    package func callAsFunction(_ values: UnsafeMutablePointer<Float>, count: Int) {
        ds_activate(values, count, code, values)
    }

    /// The kernels' number for it.
    var code: Int32 {
        switch self {
        case .silu: Int32(DS_ACTIVATION_SILU)
        case .mish: Int32(DS_ACTIVATION_MISH)
        case .gelu: Int32(DS_ACTIVATION_GELU)
        case .relu: Int32(DS_ACTIVATION_RELU)
        case .quickGELU: Int32(DS_ACTIVATION_QUICK_GELU)
        }
    }
}
