/// What a rule decided: the output token, and whether it was taken from the drafts.
public struct Selection: Equatable, Sendable {
    public let token: Int
    public let isAccepted: Bool

    public init(token: Int, isAccepted: Bool) {
        self.token = token
        self.isAccepted = isAccepted
    }
}
