/// How the time embedding enters a residual block (diffusers `resnet_time_scale_shift`).
public enum TimeScaleShift: String, CaseIterable, Sendable {
    case shift = "default"
    case scaleAndShift = "scale_shift"
}
