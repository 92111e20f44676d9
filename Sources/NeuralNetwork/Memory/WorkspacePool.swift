import Synchronization

/// The workspaces of a network that no call is using. Calls that run at the same time have one each.
final class WorkspacePool: Sendable {
    private let idle = Mutex<[Holder]>([])

    /// A workspace is used by one call at a time; the pool sees to it.
    private struct Holder: @unchecked Sendable {
        let workspace: Workspace
    }

    func take(threads: Int) -> Workspace {
        let found = idle.withLock { idle in
            idle.lastIndex { $0.workspace.requestedThreads == threads }.map { idle.remove(at: $0) }
        }
        return found?.workspace ?? Workspace(threads: threads)
    }

    func giveBack(_ workspace: Workspace) {
        let holder = Holder(workspace: workspace)
        idle.withLock { idle in
            idle.append(holder)
            // Of those used longest ago, no more are kept than could be of use.
            if idle.count > 4 { idle.removeFirst() }
        }
    }
}
