import Jobs
import Models
import Processes

/// A command that several processes can carry out together.
protocol DistributedCommand {
    func run(in group: any ProcessGroup) throws
}

extension SampleCommand: DistributedCommand {
    func run() throws { try run(in: SingleProcess()) }

    func run(in group: any ProcessGroup) throws {
        if parallel != nil, group is SingleProcess {
            throw RecipeError("parallel", "needs several processes: mpirun -n R diffspec-mpi sample …")
        }
        Interruption.watch()
        let (request, result) = (try request, options.result)
        if group.rank == 0 { try result.check(pictures: [request.grid], tensors: [request.tensors]) }
        let job = SampleJob(request, mode: parallel ?? .samples, in: group, monitor: result.console)
        if let outcome = try job.run() { try result.show(outcome) }
    }
}
