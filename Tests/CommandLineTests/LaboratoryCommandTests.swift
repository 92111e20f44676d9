import Foundation
import Testing

extension CommandLineTests {
    @Suite("verify, langevin, mixture")
    struct LaboratoryCommandTests {
        static func report(_ name: String, in folder: URL) throws -> [String: Any] {
            let data = try Data(contentsOf: folder.appendingPathComponent(name))
            return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        }

        @Test func langevinReportsItsEnergy() throws {
            try Program.inFolder { folder in
                for draft in ["none", "frozen", "recycled", "recycled-zeroth", "frozen-fresh", "proxy", "hessian"] {
                    let outcome = try Program.run(
                        [
                            "langevin", "--steps", "300", "--chains", "3", "--tail", "50", "--draft", draft, "--report",
                            "r.json", "--out", "trace.png",
                        ], in: folder)
                    #expect(outcome.status == 0, "\(draft): \(outcome.errors)")
                    #expect(outcome.output.contains("NFE"))
                    let report = try Self.report("r.json", in: folder)
                    let energy = try #require(report["energy"] as? [String: Double])
                    #expect(Set(energy.keys) == ["mean", "sd", "standard_error"])
                    #expect(report["nfe"] != nil && report["evaluations"] != nil && report["acceptance"] != nil)
                    #expect(try Program.files(in: folder) == ["r.json", "trace.png"])
                }
                for dynamics in ["aboba", "obabo"] {
                    for draft in ["none", "recycled", "hessian", "independent"] {
                        let outcome = try Program.run(
                            [
                                "langevin", "--dynamics", dynamics, "--friction", "5", "--step", "0.02", "--steps",
                                "600",
                                "--count", "3", "--draft", draft, "--report", "r.json",
                            ], in: folder)
                        #expect(outcome.status == 0, "\(dynamics), \(draft): \(outcome.errors)")
                        let report = try Self.report("r.json", in: folder)
                        #expect(report["dynamics"] as? String == dynamics && report["friction"] as? Double == 5)
                        let effective = try #require(report["effective"] as? [String: Double])
                        #expect(
                            Set(effective.keys) == ["samples", "autocorrelation_time", "per_call", "standard_error"])
                        // 300 last states of each of 3 chains; a call of plain sampling is a step.
                        let (samples, time) = (effective["samples"] ?? 0, effective["autocorrelation_time"] ?? 0)
                        #expect(abs(samples * time - 900) < 1e-6)
                        if draft == "none" { #expect(abs((effective["per_call"] ?? 0) * time - 1) < 1e-9) }
                    }
                }
                let short = try Program.run(
                    ["langevin", "--steps", "30", "--count", "2", "--report", "r.json"], in: folder)
                #expect(short.status == 0 && short.output.contains("too few to tell"), "\(short.errors)")
                let report = try Self.report("r.json", in: folder)
                #expect(report["effective"] is NSNull && report["friction"] is NSNull)
                // One chain says nothing of the spread of chains.
                let single = try Program.run(
                    ["langevin", "--steps", "50", "--chains", "1", "--report", "r.json"], in: folder)
                #expect(single.status == 0 && single.output.contains("standard error unknown"), "\(single.errors)")
                #expect(
                    (try Self.report("r.json", in: folder)["energy"] as? [String: Any])?["standard_error"] is NSNull)
                for energy in ["gaussian", "mixture", "logistic"] {
                    let outcome = try Program.run(
                        ["langevin", "--energy", energy, "--steps", "100", "--tail", "10", "--chains", "2"], in: folder)
                    #expect(outcome.status == 0, "\(energy): \(outcome.errors)")
                }
            }
        }

        @Test func mixtureReportsItsDistance() throws {
            try Program.inFolder { folder in
                for draft in ["none", "frozen", "frozen-denoiser", "recycled", "recycled-zeroth", "independent"] {
                    let outcome = try Program.run(
                        [
                            "mixture", "--steps", "20", "--count", "40", "--draft", draft, "--report", "r.json",
                            "--out", "s.png",
                        ],
                        in: folder)
                    #expect(outcome.status == 0, "\(draft): \(outcome.errors)")
                    let report = try Self.report("r.json", in: folder)
                    #expect(try #require(report["wasserstein2"] as? Double) > 0)
                    #expect(report["nfe"] != nil && report["evaluations"] != nil && report["acceptance"] != nil)
                }
            }
        }

        /// A trained network in the exact score's place: near its mixture, and with the paper's draft of it exact and cheaper.
        @Test func mixtureSamplesItsNetworks() throws {
            try Program.inFolder { folder in
                func report(_ arguments: [String]) throws -> [String: Any] {
                    let outcome = try Program.run(
                        ["mixture", "--model", "mixture-2", "--steps", "40", "--count", "300", "--report", "r.json"]
                            + arguments,
                        in: folder)
                    try #require(outcome.status == 0, "\(outcome.errors)")
                    return try Self.report("r.json", in: folder)
                }
                let plain = try report(["--draft", "none"])
                let independent = try report(["--draft", "independent", "--draft-model", "mixture-2-draft"])
                #expect(independent["draft_model"] as? String == "mixture-2-draft")
                for run in [plain, independent] {
                    #expect(run["dimension"] as? Int == 2 && run["components"] as? Int == 16)
                    // 300 points of 16 components, about half of whose distance is that of unequal counts; the components
                    // lie 1 apart. A network that ignored its labels would be at 1 or more.
                    let distance = try #require(run["wasserstein2"] as? Double)
                    let ofData = try #require(run["wasserstein2_of_data"] as? Double)
                    #expect(distance < 2 * ofData + 0.1)
                }
                let calls = try #require((independent["nfe"] as? [String: Any])?["mean"] as? Double)
                #expect(calls < 40)
            }
        }

        @Test func mixtureExportsItsComponents() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["mixture", "--dimension", "3", "--components", "5", "--export", "m.json"], in: folder)
                try #require(outcome.status == 0, "\(outcome.errors)")
                let components = try #require(try Self.report("m.json", in: folder)["components"] as? [[String: Any]])
                #expect(components.count == 5)
                #expect((components[0]["mean"] as? [Double])?.count == 3)
            }
        }

        /// The default tail follows the number of steps.
        @Test func langevinTakesFewSteps() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["langevin", "--steps", "50", "--chains", "2", "--report", "r.json"], in: folder)
                #expect(outcome.status == 0, "\(outcome.errors)")
                #expect(try Self.report("r.json", in: folder)["tail"] as? Int == 25)
            }
        }

        /// So few samples that a control may pass for exact: the findings are in order all the same, and the status
        /// says whether all of them passed.
        @Test func verifyPrintsItsFindings() throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(
                    ["verify", "--samples", "1000", "--group", "marginal", "--group", "meeting", "--json"], in: folder)
                let json = try #require(
                    try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [String: Any])
                let findings = try #require(json["findings"] as? [[String: Any]])
                #expect(findings.count > 100)
                #expect(findings.allSatisfy { $0["p_value"] != nil && $0["passed"] != nil })
                #expect(json["passed"] as? Bool == (outcome.status == 0))
                // So few samples leave some controls uncaught; how many is said in one line.
                let failed = findings.count { $0["passed"] as? Bool == false }
                #expect(outcome.status == (failed > 0 ? 1 : 0))
                #expect(
                    failed == 0 || outcome.errors.hasSuffix("error: \(failed) of \(findings.count) checks failed\n"),
                    "\(outcome.errors)")
            }
        }

        @Test(arguments: [
            ["verify", "--samples", "10"], ["verify", "--level", "2"], ["langevin", "--step", "-1"],
            ["langevin", "--lattice", "2"], ["langevin", "--tail", "0"], ["langevin", "--steps", "10", "--tail", "11"],
            ["langevin", "--friction", "1"],
            ["langevin", "--dynamics", "aboba", "--friction", "0"], ["langevin", "--dynamics", "baoab"],
            ["mixture", "--draft", "hessian"], ["langevin", "--beta", "nan"], ["langevin", "--energy", "dark"],
            ["mixture", "--dimension", "0"],
            ["mixture", "--churn", "nan"], ["mixture", "--out", "x.png", "--dimension", "1"],
            ["mixture", "--model", "mixture-2", "--dimension", "2"], ["mixture", "--draft-model", "mixture-2-draft"],
            ["mixture", "--model", "mixture-2", "--draft-model", "mixture-2-draft"], ["mixture", "--networks"],
            ["mixture", "--model", "mixture-2", "--draft", "independent", "--draft-model", "mixture-32-draft"],
            ["mixture", "--figure", "f", "--networks", "--mixture-seed", "9"],
        ])
        func usageErrors(arguments: [String]) throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(arguments, in: folder)
                #expect(outcome.status == 64, "\(outcome.errors)")
                #expect(try Program.files(in: folder).isEmpty)
            }
        }

        /// Divergence, impossible places.
        @Test(arguments: [
            ["langevin", "--step", "1", "--steps", "600"],
            ["langevin", "--step", "1", "--steps", "600", "--draft", "none"],
            ["langevin", "--report", "/nonexistent/r.json"], ["mixture", "--churn", "1e200", "--count", "1"],
            ["mixture", "--figure", "/proc/nowhere"], ["mixture", "--model", "fashion-mnist", "--count", "1"],
            ["mixture", "--model", "nowhere"],
            ["sample", "--model", "mixture-2"],
        ])
        func runTimeErrors(arguments: [String]) throws {
            try Program.inFolder { folder in
                let outcome = try Program.run(arguments, in: folder)
                #expect(outcome.status == 1, "\(outcome.errors)")
                #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.split(separator: "\n").count == 1)
                #expect(try Program.files(in: folder).isEmpty)
            }
        }
    }
}
