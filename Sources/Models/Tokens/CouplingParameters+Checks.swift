import FiniteAlphabets

extension CouplingParameters {
    /// - Throws: `RecipeError`, before any file is read.
    public func check() throws(RecipeError) {
        try GlobalResolution.tolerances.check(tolerance, setting: "tolerance")
        try ImportanceWeightedRule.freeTokenCounts.check(Double(freeTokens), setting: "free-tokens")
        try ImportanceWeightedRule.likeliestCounts.check(Double(likeliest), setting: "likeliest")
        try DistributionDiscretization.precisions.check(precision, setting: "precision")
    }
}

extension CouplingRule {
    /// - Throws: `RecipeError` where it has no law for several drafts of such a scheme.
    package func check(_ scheme: DraftScheme) throws(RecipeError) {
        guard accepts(scheme) else {
            let names = CouplingRule.allCases.filter { $0.accepts(scheme) }.map(\.rawValue).joined(separator: ", ")
            throw RecipeError("rule", "\(rawValue) is not for drafts that are \(scheme.rawValue); these are: \(names).")
        }
    }
}

extension ParameterRange {
    /// Asks the library's range about a setting of the command line.
    package func check(_ value: Double, setting: String) throws(RecipeError) {
        guard contains(value) else {
            let found = Int(exactly: value).map(String.init) ?? "\(value)"
            throw RecipeError(setting, "must be \(expected), found \(found).")
        }
    }
}
