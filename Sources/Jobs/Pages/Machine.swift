import Foundation
import Models
import NeuralNetwork
import Reports
import Statistics

/// What a run was made on.
struct Machine: Sendable {
    let processor: String
    let cores: Int
    let memoryGigabytes: Double
    let system: String

    static var this: Machine {
        let information = ProcessInfo.processInfo
        return Machine(
            processor: processorName, cores: Processors.available,
            memoryGigabytes: Double(information.physicalMemory) / 1e9,
            system: information.operatingSystemVersionString)
    }

    /// As the system calls it.
    private static var processorName: String {
        #if os(Linux)
            let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
            // The words of x86, and of other architectures.
            for key in ["model name", "Model", "cpu model", "Processor"] {
                for line in text.split(separator: "\n") where line.hasPrefix(key) {
                    if let name = line.split(separator: ":", maxSplits: 1).last {
                        return name.trimmingCharacters(in: .whitespaces)
                    }
                }
            }
        #else
            var size = 0
            if sysctlbyname("machdep.cpu.brand_string", nil, &size, nil, 0) == 0, size > 1 {
                var bytes = [UInt8](repeating: 0, count: size)
                if sysctlbyname("machdep.cpu.brand_string", &bytes, &size, nil, 0) == 0 {
                    return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
            }
        #endif
        return "unknown"
    }

    var table: Page.Table {
        Page.Table(
            [],
            [
                ["processor", processor], ["cores used at most", "\(cores)"],
                ["memory", "\(memoryGigabytes.formatted(digits: 1)) GB"], ["system", system],
                ["diffspec", "\(Version.current), kernels \(Kernels.name)"],
            ])
    }
}
