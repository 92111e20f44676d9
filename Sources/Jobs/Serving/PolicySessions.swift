/// The last plan of each robot that has a session. Those that nobody has asked for longest are forgotten.
struct PolicySessions {
    static let largestCount = 1024

    private var plans: [String: (state: [Double], turn: Int)] = [:]
    private var turn = 0

    /// The state of the last plan of a session.
    func plan(of session: String) -> [Double]? { plans[session]?.state }

    mutating func keep(_ state: [Double], for session: String) {
        turn += 1
        plans[session] = (state, turn)
        guard plans.count > Self.largestCount, let oldest = plans.min(by: { $0.value.turn < $1.value.turn }) else {
            return
        }
        plans[oldest.key] = nil
    }
}
