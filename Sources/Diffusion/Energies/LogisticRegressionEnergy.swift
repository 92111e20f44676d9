import Couplings
import Platform

/// A table of labelled rows for a regression.
public struct LabelledTable: Sendable {
    /// Rows of features, all of one length.
    public let features: [[Double]]
    /// One a row, false or true.
    public let labels: [Bool]

    /// - Throws: `DiffusionError` for an empty or ragged table.
    public init(features: [[Double]], labels: [Bool]) throws(DiffusionError) {
        guard let first = features.first, !first.isEmpty, features.count == labels.count,
            features.allSatisfy({ $0.count == first.count && $0.allSatisfy(\.isFinite) })
        else {
            throw DiffusionError(
                "table", expected: "as many labels as rows, and finite rows of one length",
                found: "\(features.count) rows and \(labels.count) labels")
        }
        self.features = features
        self.labels = labels
    }

    /// The bundled table is synthetic: 200 rows of an intercept and 7 standard normal features with neighbours
    /// correlated by ½, labels drawn from a logistic model whose coefficients are standard normal. All of it is a
    /// function of the seed 2025 through the package's own generator, so that there is no file to ship and no licence
    /// to mind.
    public static let synthetic: LabelledTable? = {
        let (rows, columns) = (200, 7)
        let random = RandomSource(seed: 2025)
        var stream = random.stream(sample: 0, step: 0, purpose: .auxiliary)
        let coefficients = stream.normals(columns + 1)
        var features: [[Double]] = []
        var labels: [Bool] = []
        for row in 1...rows {
            var stream = random.stream(sample: row, step: 0, purpose: .auxiliary)
            var values = stream.normals(columns)
            for j in 1..<columns { values[j] = 0.5 * values[j - 1] + 0.75.squareRoot() * values[j] }
            features.append([1] + values)
            let logit = Vector.dot(coefficients, [1] + values)
            labels.append(stream.uniform() < 1 / (1 + exp(-logit)))
        }
        return try? LabelledTable(features: features, labels: labels)
    }()
}

extension Energy {
    /// Bayesian logistic regression: the posterior of the coefficients `θ` under independent normal priors,
    ///
    ///     E(θ) = Σ_i [log(1 + exp⟨x_i, θ⟩) - y_i ⟨x_i, θ⟩] + ‖θ‖²/(2 v).
    ///
    /// The proxy is the energy's quadratic expansion about its mode, found by Newton's method: once its matrix is made
    /// it costs nothing to do with the number of rows.
    /// - Parameters:
    ///   - table: the labelled rows.
    ///   - priorVariance: `v > 0`.
    /// - Throws: `DiffusionError` for another, or where Newton's method finds no mode.
    public static func logisticRegression(
        _ table: LabelledTable, priorVariance: Double = 25
    ) throws(DiffusionError) -> Energy {
        guard priorVariance > 0, priorVariance.isFinite else {
            throw DiffusionError("prior variance", expected: "a positive finite number", found: "\(priorVariance)")
        }
        let model = LogisticModel(table: table, priorVariance: priorVariance)
        let (mode, hessian) = try model.mode()
        return Energy(
            dimension: mode.count, value: model.energy, gradient: model.gradient,
            proxyGradient: { theta in
                let shift = Vector.combine(1, theta, -1, mode)
                return hessian.map { Vector.dot($0, shift) }
            }, hessianProduct: model.hessianProduct)
    }
}

/// The posterior of a logistic regression and its derivatives.
private struct LogisticModel: Sendable {
    let table: LabelledTable
    let priorVariance: Double

    @Sendable func energy(_ theta: [Double]) -> Double {
        var sum = Vector.squaredNorm(theta) / (2 * priorVariance)
        for (row, label) in zip(table.features, table.labels) {
            let logit = Vector.dot(row, theta)
            // log(1 + e^z) without overflow
            sum += max(logit, 0) + log1p(exp(-abs(logit))) - (label ? logit : 0)
        }
        return sum
    }

    @Sendable func gradient(_ theta: [Double]) -> [Double] {
        var result = theta.map { $0 / priorVariance }
        for (row, label) in zip(table.features, table.labels) {
            let residual = 1 / (1 + exp(-Vector.dot(row, theta))) - (label ? 1 : 0)
            for j in result.indices { result[j] += residual * row[j] }
        }
        return result
    }

    @Sendable func hessianProduct(_ theta: [Double], _ vector: [Double]) -> [Double] {
        var result = vector.map { $0 / priorVariance }
        for row in table.features {
            let probability = 1 / (1 + exp(-Vector.dot(row, theta)))
            let along = probability * (1 - probability) * Vector.dot(row, vector)
            for j in result.indices { result[j] += along * row[j] }
        }
        return result
    }

    private func hessian(_ theta: [Double]) -> [[Double]] {
        let indices = theta.indices
        var result = indices.map { i in indices.map { $0 == i ? 1 / priorVariance : 0 } }
        for row in table.features {
            let probability = 1 / (1 + exp(-Vector.dot(row, theta)))
            let weight = probability * (1 - probability)
            for i in indices { for j in indices { result[i][j] += weight * row[i] * row[j] } }
        }
        return result
    }

    /// The minimum of the strictly convex energy and the Hessian there, by Newton's method with halved steps.
    func mode() throws(DiffusionError) -> (mode: [Double], hessian: [[Double]]) {
        var theta = [Double](repeating: 0, count: table.features[0].count)
        for _ in 0..<100 {
            let gradient = gradient(theta)
            if Vector.squaredNorm(gradient) < 1e-20 { return (theta, hessian(theta)) }
            let direction = solve(hessian(theta), gradient)
            let (current, slope) = (energy(theta), Vector.dot(gradient, direction))
            var length = 1.0
            while length > 1e-8, energy(Vector.combine(1, theta, -length, direction)) > current - length * slope / 4 {
                length /= 2
            }
            let next = Vector.combine(1, theta, -length, direction)
            if next == theta { return (theta, hessian(theta)) }
            theta = next
        }
        guard Vector.squaredNorm(gradient(theta)) < 1e-8 else {
            throw DiffusionError(
                "logistic regression", expected: "a table for which Newton's method finds the mode", found: "none",
                remedy: "scale the features to unit variance")
        }
        return (theta, hessian(theta))
    }

    /// Gaussian elimination; the matrix is positive definite, so that no pivoting is needed.
    private func solve(_ matrix: [[Double]], _ right: [Double]) -> [Double] {
        var (matrix, x) = (matrix, right)
        for pivot in x.indices {
            for row in x.indices where row > pivot {
                let factor = matrix[row][pivot] / matrix[pivot][pivot]
                matrix[row] = Vector.combine(1, matrix[row], -factor, matrix[pivot])
                x[row] -= factor * x[pivot]
            }
        }
        for row in x.indices.reversed() {
            for column in x.indices where column > row { x[row] -= matrix[row][column] * x[column] }
            x[row] /= matrix[row][row]
        }
        return x
    }
}
