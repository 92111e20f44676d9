/// Arithmetic on states. A state is a plain `[Double]`: the loop's vectors are short beside a network call, and an
/// ordinary value type keeps the algorithms free of pointers.
package enum Vector {
    /// `a x + b y`, both vectors of the same length.
    package static func combine(_ a: Double, _ x: [Double], _ b: Double, _ y: [Double]) -> [Double] {
        precondition(x.count == y.count, "vectors of different lengths")
        return [Double](unsafeUninitializedCapacity: x.count) { result, count in
            x.withUnsafeBufferPointer { x in
                y.withUnsafeBufferPointer { y in
                    for i in 0..<x.count { result.initializeElement(at: i, to: a * x[i] + b * y[i]) }
                }
            }
            count = x.count
        }
    }

    /// `a x + b (y - z)`, all of the same length.
    package static func combine(_ a: Double, _ x: [Double], _ b: Double, _ y: [Double], less z: [Double]) -> [Double] {
        precondition(x.count == y.count && x.count == z.count, "vectors of different lengths")
        return [Double](unsafeUninitializedCapacity: x.count) { result, count in
            x.withUnsafeBufferPointer { x in
                y.withUnsafeBufferPointer { y in
                    z.withUnsafeBufferPointer { z in
                        for i in 0..<x.count { result.initializeElement(at: i, to: a * x[i] + b * (y[i] - z[i])) }
                    }
                }
            }
            count = x.count
        }
    }

    package static func dot(_ x: [Double], _ y: [Double]) -> Double {
        precondition(x.count == y.count, "vectors of different lengths")
        return x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in
                // Eight sums side by side: a single one waits for each addition before the next.
                var sums = SIMD8<Double>.zero
                let whole = x.count - x.count % 8
                for i in stride(from: 0, to: whole, by: 8) { sums += eight(x, at: i) * eight(y, at: i) }
                return (whole..<x.count).reduce(sums.sum()) { $0 + x[$1] * y[$1] }
            }
        }
    }

    /// `⟨x - y, u - v⟩` and `‖u - v‖²`, all of the same length.
    package static func differences(
        _ x: [Double], less y: [Double], _ u: [Double], less v: [Double]
    ) -> (dot: Double, squaredNorm: Double) {
        precondition(x.count == y.count && x.count == u.count && x.count == v.count, "vectors of different lengths")
        return x.withUnsafeBufferPointer { x in
            y.withUnsafeBufferPointer { y in
                u.withUnsafeBufferPointer { u in
                    v.withUnsafeBufferPointer { v in
                        var (dots, squares) = (SIMD8<Double>.zero, SIMD8<Double>.zero)
                        let whole = x.count - x.count % 8
                        for i in stride(from: 0, to: whole, by: 8) {
                            let move = eight(u, at: i) - eight(v, at: i)
                            dots += (eight(x, at: i) - eight(y, at: i)) * move
                            squares += move * move
                        }
                        var (dot, square) = (dots.sum(), squares.sum())
                        for i in whole..<x.count {
                            dot += (x[i] - y[i]) * (u[i] - v[i])
                            square += (u[i] - v[i]) * (u[i] - v[i])
                        }
                        return (dot, square)
                    }
                }
            }
        }
    }

    @inline(__always) private static func eight(_ x: UnsafeBufferPointer<Double>, at i: Int) -> SIMD8<Double> {
        SIMD8(x[i], x[i + 1], x[i + 2], x[i + 3], x[i + 4], x[i + 5], x[i + 6], x[i + 7])
    }

    package static func squaredNorm(_ x: [Double]) -> Double { dot(x, x) }
}
