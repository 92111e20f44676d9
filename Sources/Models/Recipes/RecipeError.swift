/// A setting of a recipe that says what cannot be, or does not fit the model.
public struct RecipeError: Error, Equatable, CustomStringConvertible {
    /// The setting as the command line calls it, without dashes: `churn`.
    public let setting: String
    /// What is wrong with it and what to do, a sentence that continues after the setting's name.
    public let problem: String

    public init(_ setting: String, _ problem: String) {
        self.setting = setting
        self.problem = problem
    }

    public var description: String { "\(setting) \(problem)" }
}
