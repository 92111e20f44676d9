import Foundation
import Testing

@testable import Diffusion

@Suite("Time grids with equal rejections")
struct BalancedGridTests {
    /// Rejections that grow with a step's length and with time: `r = 3 t² γ`, so that equal ones have `t` at cube roots.
    @Test func findsTheGridOfAKnownRate() {
        let steps = 50
        var times = (0...steps).map { Double(steps - $0) / Double(steps) }
        func rejections() -> [Double] {
            zip(times, times.dropFirst()).map { pow($0, 3) - pow($1, 3) }
        }
        let before = rejections()
        times = BalancedGrid.shared(times, by: before)
        let after = rejections()
        #expect(times.first == 1 && times.last == 0 && times.count == steps + 1)
        #expect(zip(times, times.dropFirst()).allSatisfy(>))
        // At the end nothing is rejected, and no step gets longer than four times its share.
        let early = after.prefix(30)
        #expect(early.allSatisfy { abs($0 / early[0] - 1) < 0.05 })
        #expect(before[0] / before[29] > 5)
        #expect(times[steps - 1] < 4.5 / Double(steps))
    }

    @Test func leavesAGridThatIsNeverRejected() {
        #expect(BalancedGrid.shared([1, 0.7, 0.2, 0], by: [0, 0, 0]) == [1, 0.7, 0.2, 0])
        #expect(BalancedGrid.shared([1, 0], by: [0.3]) == [1, 0])
    }
}
