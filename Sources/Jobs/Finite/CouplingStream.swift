import Couplings
import Diffusion
import FiniteAlphabets
import Foundation
import Models
import NeuralNetwork
import Platform

/// Verifies drafted tokens for another program's decoder, a line of JSON for a line:
///
///     {"target": LAW, "drafts": [LAW, LAW], "drafted": [17, 5], "rule": "specinfer", "seed": 7, "position": 3}
///     {"token": 17, "accepted": true, "draft": 0}
///
/// `LAW` is what `TokenLawReader` reads. What is decided is a function of the line alone: of the laws, the drafted tokens,
/// the seed and the position.
public struct CouplingStream: Sendable {
    /// Of lines that name none.
    public var rule: CouplingRule
    public var parameters: CouplingParameters
    /// Of lines that name none.
    public var scheme: DraftScheme
    /// Of lines that have none.
    public var seed: UInt64
    /// Lines that wait at the same time are shared out among so many.
    public var threads: Int

    public init(
        rule: CouplingRule, parameters: CouplingParameters = .init(), scheme: DraftScheme = .independent,
        seed: UInt64 = 0,
        threads: Int = Processors.available
    ) {
        (self.rule, self.parameters, self.scheme) = (rule, parameters, scheme)
        (self.seed, self.threads) = (seed, threads)
    }

    /// - Throws: `RecipeError`, before anything is read.
    public func check() throws(RecipeError) {
        _ = try TokenVerification(rule: rule, parameters: parameters, scheme: scheme)
        guard (1...1024).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 1024, found \(threads).")
        }
    }

    /// Answers the lines of standard input on standard output, in their order, until it ends.
    public func serve(monitor: any RunMonitor = NoMonitor()) throws {
        try check()
        signal(SIGPIPE, SIG_IGN)
        var connection = PolicyConnection.standard
        while true {
            try monitor.check()
            var lines: [LineBuffer.Line] = []
            while lines.count < 1024, let line = connection.nextLine() { lines.append(line) }
            if lines.isEmpty {
                if connection.lines.isAtEnd { return }
                var descriptor = pollfd(fd: connection.input, events: Int16(POLLIN), revents: 0)
                if poll(&descriptor, 1, 200) > 0 { try connection.receive() }
                continue
            }
            try connection.send(answers(lines).map(\.text).joined(separator: "\n"))
        }
    }

    private func answers(_ lines: [LineBuffer.Line]) throws -> [JSON] {
        lines.count == 1 ? [answer(lines[0])] : try lines.concurrentMap(threads: threads) { answer($0) }
    }

    func answer(_ line: LineBuffer.Line) -> JSON {
        var id: JSON?
        do {
            guard case .text(let bytes) = line else {
                throw TokenLawReader.Failure("the line is longer than \(LineBuffer.largestLine) bytes")
            }
            let json: JSON
            do { json = try JSON(parsing: bytes) } catch {
                throw TokenLawReader.Failure("the line is \(error)")
            }
            id = json["id"]
            return .object(try decision(json) + (id.map { [.init("id", $0)] } ?? []))
        } catch {
            return .object([.init("error", .string("\(error)"))] + (id.map { [.init("id", $0)] } ?? []))
        }
    }

    private func decision(_ json: JSON) throws -> [JSON.Member] {
        func failure(_ text: String) -> TokenLawReader.Failure { TokenLawReader.Failure(text) }
        guard case .object = json else {
            throw failure("expected an object with \"target\", \"drafts\" and \"drafted\"")
        }
        func integer(_ key: String, default standard: Int) throws -> Int {
            guard let value = json[key], value != .null else { return standard }
            guard let number = value.int, number >= 0 else {
                throw failure("\"\(key)\" must be an integer of at least 0")
            }
            return number
        }
        guard let target = json["target"] else { throw failure("\"target\" is missing") }
        guard let drafted = json["drafted"]?.array, !drafted.isEmpty else {
            throw failure("\"drafted\" must be a list of the drafted tokens")
        }
        let tokens = try drafted.map { item in
            guard let token = item.int else { throw failure("\"drafted\" must hold integers") }
            return token
        }
        // One law of all drafts, or a list with one for each.
        let laws: [SparseLaw]
        if let draft = json["draft"] {
            laws = [SparseLaw](repeating: try TokenLawReader.law(draft, name: "draft"), count: tokens.count)
        } else if let drafts = json["drafts"]?.array, drafts.count == tokens.count {
            laws = try drafts.enumerated().map { try TokenLawReader.law($1, name: "draft \($0)") }
        } else {
            throw failure("\"draft\" must be the law of all drafted tokens, or \"drafts\" a list of one for each")
        }
        let rule = try named("rule", in: json, default: self.rule, names: CouplingRule.names)
        let scheme = try named("draft_scheme", in: json, default: self.scheme, names: DraftScheme.names)
        let decision = try TokenVerification(rule: rule, parameters: parameters, scheme: scheme).decision(
            target: TokenLawReader.law(target, name: "target"), drafts: laws, drafted: tokens,
            seed: UInt64(try integer("seed", default: Int(seed))), position: try integer("position", default: 0))
        var members: [JSON.Member] = [
            .init("token", .integer(decision.token)), .init("accepted", .bool(decision.draft != nil)),
        ]
        if let draft = decision.draft { members.append(.init("draft", .integer(draft))) }
        if !decision.isExact { members.append(.init("exact", .bool(false))) }
        return members
    }

    /// A value by its name; the standard where the line has none.
    private func named<Value: RawRepresentable<String>>(
        _ key: String, in json: JSON, default standard: Value, names: String
    ) throws -> Value {
        guard let name = json[key], name != .null else { return standard }
        guard let value = name.string.flatMap(Value.init) else {
            throw TokenLawReader.Failure("\"\(key)\" must be one of \(names)")
        }
        return value
    }
}
