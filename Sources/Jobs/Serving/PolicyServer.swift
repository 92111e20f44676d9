import Couplings
import Diffusion
import Foundation
import Models
import NeuralNetwork

/// How a robot policy is served.
public struct PolicyRecipe: Codable, Equatable, Sendable {
    /// A folder, or a bundled policy's name.
    public var model = "pusht"
    /// Of the network's large products; encoders of pictures have them in f32.
    public var precision = Precision.f32
    /// `K`; nil for the policy's own.
    public var steps: Int?
    /// Nil for the policy's own.
    public var kind: ChainRecipe.Kind?
    /// `η` of DDIM.
    public var eta = 0.0
    /// Which training steps are taken where `K` is less; nil for what the policy's scheduler says.
    public var trainingSpacing: ChainRecipe.TrainingSpacing?
    public var speculation = SpeculationRecipe()
    /// Of the first plan whose request has none.
    public var seed: UInt64 = 0
    public var threads = Processors.available

    public init() {}

    public func validate() throws(RecipeError) {
        var chain = ChainRecipe(kind: kind ?? .ddpm)
        (chain.steps, chain.eta) = (steps ?? chain.steps, kind == nil ? 0 : eta)
        try chain.validate()
        guard kind != .sde, kind != .exponential else {
            throw RecipeError("chain", "of a policy is ddpm or ddim, on the steps of its scheduler.")
        }
        guard (1...1024).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 1024, found \(threads).")
        }
        guard seed <= UInt64(PolicyRequest.largestSeed) else {
            throw RecipeError("seed", "must be at most \(PolicyRequest.largestSeed), found \(seed).")
        }
        guard !speculation.rule.looksAtPictures else {
            throw RecipeError("rule", "\(speculation.rule.name) looks at pictures; a policy has none.")
        }
    }

    /// The chain for a policy.
    func chain(of model: PolicyModel) -> ChainRecipe {
        var chain = model.ownChain
        chain.kind = kind ?? chain.kind
        chain.steps = steps ?? chain.steps
        (chain.eta, chain.trainingSpacing) = (eta, trainingSpacing)
        return chain
    }
}

/// A loaded policy with the way in which it is sampled: answers requests, each a line of JSON, with plans.
public struct PolicyServer {
    let model: PolicyModel
    private let recipe: PolicyRecipe
    private let chain: ChainRecipe
    private let monitor: any RunMonitor
    /// For `WindowRecipe.auto`.
    private let callTimes: CallTimes?

    /// Clients of a socket at a time.
    public static let mostClients = 64

    /// Loads the model, and finds out now whether the recipe fits it.
    public init(_ recipe: PolicyRecipe, monitor: any RunMonitor = NoMonitor()) throws {
        try recipe.validate()
        (self.recipe, self.monitor) = (recipe, monitor)
        let model = try PolicyModel(named: recipe.model, precision: recipe.precision)
        self.model = model
        monitor.tell(model.notes)
        chain = recipe.chain(of: model)
        try recipe.speculation.validate(for: chain)
        let zeros = [Float](repeating: 0, count: model.network.configuration.conditionDimension)
        let chain = try model.chain(chain, conditions: [zeros], threads: recipe.threads)
        callTimes = try recipe.speculation.window.callTimes(of: chain, lanes: 1)
        _ = try sampler(over: chain, random: RandomSource(seed: 0), lanes: 1)
    }

    /// Answers the lines of standard input on standard output, one by one, until it ends.
    public func serve() throws { try serve([.standard], socket: nil) }

    /// Answers the lines of clients of a Unix socket, those that wait at the same time side by side, until the monitor ends
    /// it.
    /// - Parameters:
    ///   - path: of the socket.
    ///   - whenReady: called once clients can connect.
    public func serve(socket path: String, whenReady: () -> Void = {}) throws {
        let socket = try PolicySocket(path: path)
        defer { socket.remove() }
        whenReady()
        try serve([], socket: socket)
    }

    private func serve(_ first: [PolicyConnection], socket: PolicySocket?) throws {
        // A client that is gone shows when an answer is written.
        signal(SIGPIPE, SIG_IGN)
        var connections = first
        defer { for connection in connections { connection.close() } }
        var nextSeed = Int(recipe.seed)
        var sessions = PolicySessions()
        while true {
            try monitor.check()
            var waiting: [(connection: Int, request: PolicyRequest)] = []
            var isIdle = true
            for index in connections.indices {
                guard let line = connections[index].nextLine() else { continue }
                isIdle = false
                do throws(PolicyRequest.Refusal) {
                    guard case .text(let bytes) = line else {
                        throw PolicyRequest.Refusal("the line is longer than \(LineBuffer.largestLine) bytes")
                    }
                    waiting.append((index, try PolicyRequest(line: bytes, for: model, nextSeed: &nextSeed)))
                } catch {
                    try connections[index].send(error.answer.text)
                }
            }
            if isIdle {
                for connection in connections where connection.isOver { connection.close() }
                connections.removeAll(where: \.isOver)
                if connections.isEmpty, socket == nil { return }
                try wait(for: &connections, socket)
            } else if !waiting.isEmpty {
                let answers = try answers(waiting.map(\.request), sessions: &sessions)
                for (index, answer) in zip(waiting.map(\.connection), answers) {
                    try connections[index].send(answer.text)
                }
            }
        }
    }

    /// Waits for something to read, to send or to accept. A signal need not end the wait, so that it looks around now and then.
    private func wait(for connections: inout [PolicyConnection], _ socket: PolicySocket?) throws {
        var descriptors = connections.map { connection in
            let events = connection.awaited
            return pollfd(
                fd: events == Int16(POLLOUT) ? connection.output : connection.input, events: events, revents: 0)
        }
        if let socket { descriptors.append(pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)) }
        guard poll(&descriptors, nfds_t(descriptors.count), 200) > 0 else { return }
        for index in connections.indices where descriptors[index].revents != 0 {
            if descriptors[index].events == Int16(POLLOUT) {
                try connections[index].flush()
            } else {
                try connections[index].receive()
            }
        }
        guard let socket, descriptors[descriptors.count - 1].revents != 0, let client = socket.next() else { return }
        var connection = PolicyConnection(client: client)
        if connections.count < Self.mostClients {
            connections.append(connection)
        } else {
            try connection.send(PolicyRequest.Refusal("\(Self.mostClients) clients are connected already").answer.text)
            connection.close()
        }
    }

    private func sampler(
        over chain: DenoisingChain, random: RandomSource, lanes: Int
    ) throws -> any Sampler<DenoisingChain> {
        try recipe.speculation.sampler(
            over: chain, companions: NoCompanions(), random: random, lanes: lanes, threads: recipe.threads,
            callTimes: callTimes)
    }

    /// The answers to requests that wait at the same time. What is planned for one does not depend on the others.
    func answers(_ requests: [PolicyRequest], sessions: inout PolicySessions) throws -> [JSON] {
        do {
            // Two plans of one session follow each other.
            let names = requests.flatMap { $0.sessions.compactMap { $0?.name } }
            let isTogether =
                Set(names).count == names.count
                && requests.reduce(0) { $0 + $1.observations.count } <= PolicyRequest.largestBatch
            if requests.count == 1 || isTogether { return try plan(requests, sessions: &sessions) }
        } catch let error as DiffusionError {
            // It is the fault of one of them, which the others must not suffer.
            if requests.count == 1 { return [PolicyRequest.Refusal("\(error)", id: requests[0].id).answer] }
        }
        var answers: [JSON] = []
        for request in requests { answers += try self.answers([request], sessions: &sessions) }
        return answers
    }

    private func plan(_ requests: [PolicyRequest], sessions: inout PolicySessions) throws -> [JSON] {
        let clock = ContinuousClock.now
        let observations = requests.flatMap(\.observations)
        let conditions = try model.observer.conditions(observations, threads: recipe.threads)
        let encoded = ContinuousClock.now
        let earlier = requests.flatMap(\.sessions).map { session in
            session.flatMap { session in
                sessions.plan(of: session.name).map {
                    PolicyModel.EarlierPlan(state: $0, executed: session.executed)
                }
            }
        }
        let count = observations.count
        let sampler = try sampler(
            over: model.chain(chain, conditions: conditions, earlierPlans: earlier, threads: recipe.threads),
            random: RandomSource(seeds: requests.flatMap { $0.seeds.map { UInt64($0) } }),
            lanes: count)
        var plans = [SampleState?](repeating: nil, count: count)
        try sampler.run(samples: 0..<count, lanes: count) { _, _ in
            try monitor.check()
        } onFinished: {
            plans[$0.sample] = $0
        }
        let end = ContinuousClock.now
        let finished = plans.compactMap { $0 }
        let timing = Timing(encoding: encoded - clock, planning: end - encoded)
        var first = 0
        return requests.map { request in
            let own = finished[first..<first + request.observations.count]
            first += request.observations.count
            for (session, plan) in zip(request.sessions, own) {
                if let session { sessions.keep(plan.state, for: session.name) }
            }
            return answer(request, Array(own), timing, isExact: sampler.isExact)
        }
    }

    private struct Timing {
        let encoding: Duration
        let planning: Duration

        /// In milliseconds.
        var members: [JSON.Member] {
            func milliseconds(_ duration: Duration) -> JSON {
                .number((duration.seconds * 1e6).rounded() / 1e3)
            }
            return [
                .init("milliseconds", milliseconds(encoding + planning)),
                .init("encoding_milliseconds", milliseconds(encoding)),
                .init("planning_milliseconds", milliseconds(planning)),
            ]
        }
    }

    private func answer(
        _ request: PolicyRequest, _ plans: [SampleState], _ timing: Timing, isExact: Bool
    ) -> JSON {
        func each(_ value: (SampleState) -> JSON) -> JSON {
            let values = plans.map(value)
            return request.isBatch ? .array(values) : values[0]
        }
        let seeds = request.seeds.map { JSON.integer($0) }
        var members: [JSON.Member] = [
            .init(
                "actions",
                each { .array(model.actions($0.state)[model.chunk].map { .array($0.map { .number($0) }) }) }),
            .init("nfe", each { .integer($0.cost.calls) }),
            .init("windows", each { .integer($0.cost.windows) }),
            .init("evaluations", each { .integer($0.cost.evaluations) }),
        ]
        members += timing.members
        members += [
            .init("seed", request.isBatch ? .array(seeds) : seeds[0]),
            .init("precision", .string(recipe.precision.rawValue)),
            .init("exact", .bool(isExact)),
            .init("fallback", .bool(recipe.speculation.fallsBack && recipe.speculation.draft != .none)),
        ]
        if let id = request.id { members.append(.init("id", id)) }
        return .object(members)
    }
}
