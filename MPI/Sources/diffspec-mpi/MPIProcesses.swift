import CMPI
import Processes
import Foundation
import Synchronization

/// The processes that `mpirun` started. MPI's own error handler is left in place: what cannot be delivered ends them all.
final class MPIProcesses: ProcessGroup {
    let rank: Int
    let size: Int

    /// Messages on their way to process 0: MPI reads their numbers until it is done with them.
    private struct Pending: @unchecked Sendable {
        let numbers: UnsafeMutableBufferPointer<Double>
        let request: UnsafeMutablePointer<MPI_Request?>

        func free() {
            numbers.deallocate()
            request.deallocate()
        }
    }

    private let pending = Mutex<[Pending]>([])
    /// Of messages to process 0.
    private static let tag: Int32 = 1

    init() {
        var provided: Int32 = 0
        // Only the thread that samples talks to MPI.
        MPI_Init_thread(nil, nil, Int32(MPI_THREAD_FUNNELED), &provided)
        var (rank, size): (Int32, Int32) = (0, 1)
        MPI_Comm_rank(ds_mpi_world(), &rank)
        MPI_Comm_size(ds_mpi_world(), &size)
        self.rank = Int(rank)
        self.size = Int(size)
    }

    func broadcast(_ numbers: inout [Double]) {
        let count = Int32(numbers.count)
        numbers.withUnsafeMutableBytes { _ = MPI_Bcast($0.baseAddress, count, ds_mpi_double(), 0, ds_mpi_world()) }
    }

    func gather(_ part: [Double], counts: [Int]) -> [Double] {
        let counts = counts.map { Int32($0) }
        var places: [Int32] = []
        var total: Int32 = 0
        for count in counts {
            places.append(total)
            total += count
        }
        guard rank == 0 else {
            MPI_Gatherv(part, Int32(part.count), ds_mpi_double(), nil, nil, nil, ds_mpi_double(), 0, ds_mpi_world())
            return []
        }
        return [Double](unsafeUninitializedCapacity: Int(total)) { buffer, initialized in
            MPI_Gatherv(
                part, Int32(part.count), ds_mpi_double(), buffer.baseAddress, counts, places, ds_mpi_double(), 0,
                ds_mpi_world())
            initialized = Int(total)
        }
    }

    func send(_ numbers: [Double]) {
        let buffer = UnsafeMutableBufferPointer<Double>.allocate(capacity: numbers.count)
        _ = buffer.initialize(from: numbers)
        let request = UnsafeMutablePointer<MPI_Request?>.allocate(capacity: 1)
        request.initialize(to: nil)
        MPI_Isend(buffer.baseAddress, Int32(numbers.count), ds_mpi_double(), 0, Self.tag, ds_mpi_world(), request)
        let message = Pending(numbers: buffer, request: request)
        pending.withLock { pending in
            pending.append(message)
            pending.removeAll { message in
                var isDone: Int32 = 0
                ds_mpi_test(message.request, &isDone)
                if isDone != 0 { message.free() }
                return isDone != 0
            }
        }
    }

    func receive() -> [Double]? {
        var isThere: Int32 = 0
        var status = MPI_Status()
        MPI_Iprobe(ds_mpi_any_source(), Self.tag, ds_mpi_world(), &isThere, &status)
        guard isThere != 0 else { return nil }
        var count: Int32 = 0
        MPI_Get_count(&status, ds_mpi_double(), &count)
        return [Double](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
            ds_mpi_receive(buffer.baseAddress, count, status.MPI_SOURCE, Self.tag)
            initialized = Int(count)
        }
    }

    func end() {
        pending.withLock { pending in
            for message in pending {
                ds_mpi_wait(message.request)
                message.free()
            }
            pending = []
        }
        MPI_Finalize()
    }

    func abort(status: Int32) -> Never {
        MPI_Abort(ds_mpi_world(), status)
        // It does not return; the compiler cannot know.
        exit(status)
    }
}
