// The functions of diffspec.h. Each turns what is thrown into a text for the caller; none traps on what it is given.

import Couplings
import Diffusion
import FiniteAlphabets
import Models
import Platform
import Reports

/// What `diffspec.h` promises of return values.
private enum Status {
    static let finished: Int32 = 0
    static let unfinished: Int32 = 1
    static let failed: Int32 = -1
    static let stopped: Int32 = -2
    static let cancelled: Int32 = -3
}

/// Samples of a foreign network under way at a time unless the recipe says otherwise: enough to fill any accelerator, and
/// few enough for memory.
private let mostLanes = 256

public typealias ErrorText = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

private func handle(_ object: AnyObject) -> UnsafeMutableRawPointer { Unmanaged.passRetained(object).toOpaque() }

private func object<Object: AnyObject>(_ pointer: UnsafeMutableRawPointer?) throws -> Object {
    guard let pointer else { throw RecipeError("handle", "is a null pointer.") }
    return Unmanaged<Object>.fromOpaque(pointer).takeUnretainedValue()
}

private func copied(_ text: String) -> UnsafeMutablePointer<CChar>? { strdup(text) }

/// What the body returns; if it throws, the error's text goes to the caller, and `failure` makes the answer.
private func reporting<Result>(
    to text: ErrorText?, failure: (any Error) -> Result, _ body: () throws -> Result
) -> Result {
    do { return try body() } catch {
        text?.pointee = copied("\(error)")
        return failure(error)
    }
}

private func status(_ text: ErrorText?, _ body: () throws -> Int32) -> Int32 {
    reporting(to: text) { error in
        switch error {
        case Stop.byNetwork: Status.stopped
        case Stop.cancelled: Status.cancelled
        default: Status.failed
        }
    } _: {
        try body()
    }
}

private func pointer<Pointer>(_ text: ErrorText?, _ body: () throws -> Pointer?) -> Pointer? {
    reporting(to: text, failure: { _ in nil }, body)
}

@_cdecl("diffspec_version")
public func diffspecVersion() -> UnsafeMutablePointer<CChar>? { copied(Version.current) }

@_cdecl("diffspec_free")
public func diffspecFree(_ text: UnsafeMutableRawPointer?) { free(text) }

@_cdecl("diffspec_sampler_create")
public func diffspecSamplerCreate(
    _ recipe: UnsafePointer<CChar>?, _ predict: PredictFunction?, _ context: UnsafeMutableRawPointer?,
    _ draft: PredictFunction?, _ draftContext: UnsafeMutableRawPointer?, _ initialStates: UnsafePointer<Float>?,
    _ error: ErrorText?
) -> UnsafeMutableRawPointer? {
    pointer(error) {
        guard let predict else { throw RecipeError("predict", "is a null pointer.") }
        let recipe = try SamplerRecipe(json: recipe)
        let samples = try recipe.samples()
        let cancellation = Cancellation()
        let network = ForeignNetwork(function: predict, context: context, cancellation: cancellation)
        var (chain, notes) = try ForeignChain.make(recipe, network: network)
        if let initialStates {
            let values = UnsafeBufferPointer(start: initialStates, count: samples.count * chain.dimension)
            chain.initialStates = (samples.lowerBound, Array(values))
        }
        let cheaper = draft.map {
            chain.replacing(
                network: ForeignNetwork(function: $0, context: draftContext, cancellation: cancellation))
        }
        let lanes = min(recipe.batch ?? mostLanes, samples.count)
        let sampler = try recipe.sampling.speculation.sampler(
            over: chain, companions: ForeignCompanions(cheaper: cheaper), pictures: recipe.pictures,
            random: recipe.random, lanes: lanes, threads: 1)
        return handle(
            SamplingSession(
                sampler, recipe: recipe.sampling, samples: samples, lanes: lanes, threads: 1, notes: notes,
                cancellation: cancellation))
    }
}

@_cdecl("diffspec_sampler_step")
public func diffspecSamplerStep(_ sampler: UnsafeMutableRawPointer?, _ error: ErrorText?) -> Int32 {
    status(error) {
        let session: SamplingSession = try object(sampler)
        return try session.step() ? Status.unfinished : Status.finished
    }
}

@_cdecl("diffspec_sampler_run")
public func diffspecSamplerRun(_ sampler: UnsafeMutableRawPointer?, _ error: ErrorText?) -> Int32 {
    status(error) {
        let session: SamplingSession = try object(sampler)
        while try session.step() {}
        return Status.finished
    }
}

@_cdecl("diffspec_sampler_cancel")
public func diffspecSamplerCancel(_ sampler: UnsafeMutableRawPointer?) {
    guard let session: SamplingSession = try? object(sampler) else { return }
    session.cancellation.cancel()
}

@_cdecl("diffspec_sampler_progress")
public func diffspecSamplerProgress(
    _ sampler: UnsafeMutableRawPointer?, _ finished: UnsafeMutablePointer<Int64>?,
    _ steps: UnsafeMutablePointer<Int64>?, _ error: ErrorText?
) -> Int32 {
    status(error) {
        let session: SamplingSession = try object(sampler)
        let progress = try session.progress()
        finished?.pointee = Int64(progress.finished)
        steps?.pointee = Int64(progress.steps)
        return Status.finished
    }
}

@_cdecl("diffspec_sampler_samples")
public func diffspecSamplerSamples(
    _ sampler: UnsafeMutableRawPointer?, _ values: UnsafeMutablePointer<Float>?, _ error: ErrorText?
) -> Int32 {
    status(error) {
        let session: SamplingSession = try object(sampler)
        guard let values else { throw RecipeError("values", "is a null pointer.") }
        try session.copySamples(to: values)
        return Status.finished
    }
}

@_cdecl("diffspec_sampler_report")
public func diffspecSamplerReport(
    _ sampler: UnsafeMutableRawPointer?, _ error: ErrorText?
) -> UnsafeMutablePointer<CChar>? {
    pointer(error) {
        let session: SamplingSession = try object(sampler)
        return copied(try session.report())
    }
}

@_cdecl("diffspec_sampler_destroy")
public func diffspecSamplerDestroy(_ sampler: UnsafeMutableRawPointer?) {
    if let sampler { Unmanaged<SamplingSession>.fromOpaque(sampler).release() }
}

@_cdecl("diffspec_noise")
public func diffspecNoise(
    _ seed: UInt64, _ sample: Int64, _ step: Int32, _ count: Int64, _ values: UnsafeMutablePointer<Double>?
) {
    guard let values, count > 0 else { return }
    let stream = RandomSource(seed: seed)
    var noise = stream.stream(
        sample: Int(sample), step: max(0, Int(step)), purpose: step < 0 ? .initialState : .increment)
    values.update(from: noise.normals(Int(count)), count: Int(count))
}

@_cdecl("diffspec_model_open")
public func diffspecModelOpen(_ name: UnsafePointer<CChar>?, _ error: ErrorText?) -> UnsafeMutableRawPointer? {
    pointer(error) {
        guard let name else { throw RecipeError("model", "is a null pointer.") }
        return handle(try BundledNetwork(String(cString: name)))
    }
}

@_cdecl("diffspec_model_describe")
public func diffspecModelDescribe(
    _ model: UnsafeMutableRawPointer?, _ error: ErrorText?
) -> UnsafeMutablePointer<CChar>? {
    pointer(error) {
        let network: BundledNetwork = try object(model)
        return copied(try network.description())
    }
}

@_cdecl("diffspec_model_predict")
public func diffspecModelPredict(
    _ model: UnsafeMutableRawPointer?, _ rows: Int64, _ states: UnsafePointer<Float>?, _ times: UnsafePointer<Double>?,
    _ labels: UnsafePointer<Int64>?, _ threads: Int32, _ answers: UnsafeMutablePointer<Float>?, _ error: ErrorText?
) -> Int32 {
    status(error) {
        let network: BundledNetwork = try object(model)
        let size = network.model.picture.size
        guard let states, let times, let answers, rows >= 1, rows <= 1 << 24 else {
            throw RecipeError("rows", "must be at least 1, and no pointer but that of the labels may be null.")
        }
        let count = Int(rows)
        let output = try network.predict(
            states: Array(UnsafeBufferPointer(start: states, count: count * size)),
            times: Array(UnsafeBufferPointer(start: times, count: count)),
            labels: labels.map { UnsafeBufferPointer(start: $0, count: count).map { Int($0) } },
            threads: max(1, Int(threads)))
        answers.update(from: output, count: output.count)
        return Status.finished
    }
}

@_cdecl("diffspec_model_sampler")
public func diffspecModelSampler(
    _ model: UnsafeMutableRawPointer?, _ recipe: UnsafePointer<CChar>?, _ threads: Int32, _ error: ErrorText?
) -> UnsafeMutableRawPointer? {
    pointer(error) {
        let network: BundledNetwork = try object(model)
        return handle(
            try network.session(
                SamplerRecipe(json: recipe), threads: threads > 0 ? Int(threads) : Processors.available))
    }
}

@_cdecl("diffspec_model_close")
public func diffspecModelClose(_ model: UnsafeMutableRawPointer?) {
    if let model { Unmanaged<BundledNetwork>.fromOpaque(model).release() }
}

@_cdecl("diffspec_couple")
public func diffspecCouple(
    _ recipe: UnsafePointer<CChar>?, _ vocabulary: Int64, _ target: UnsafePointer<Float>?, _ drafts: Int64,
    _ laws: Int64, _ draft: UnsafePointer<Float>?, _ drafted: UnsafePointer<Int64>?, _ seed: UInt64, _ position: Int64,
    _ token: UnsafeMutablePointer<Int64>?, _ taken: UnsafeMutablePointer<Int64>?,
    _ exact: UnsafeMutablePointer<Int32>?, _ error: ErrorText?
) -> Int32 {
    status(error) {
        let recipe = try TokenRecipe(json: recipe)
        guard let target, let draft, let drafted else {
            throw RecipeError("target, draft and drafted", "must not be null pointers.")
        }
        guard (1...1 << 31).contains(vocabulary) else {
            throw RecipeError("vocabulary", "must be from 1 to 2³¹, found \(vocabulary).")
        }
        try MultiDraftProblem.draftCounts.check(Double(drafts), setting: "drafts")
        guard laws == 1 || laws == drafts else {
            throw RecipeError("laws", "must be 1, of all drafts, or one for each of the \(drafts), found \(laws).")
        }
        func law(_ scores: UnsafePointer<Float>, _ index: Int, _ name: String) throws -> SparseLaw {
            let row = UnsafeBufferPointer(start: scores + index * Int(vocabulary), count: Int(vocabulary))
            return try recipe.truncation.law(ofLogits: Array(row), name: name)
        }
        var draftLaws = try (0..<Int(laws)).map { try law(draft, $0, "draft \($0)") }
        if draftLaws.count == 1 { draftLaws = Array(repeating: draftLaws[0], count: Int(drafts)) }
        let decision = try recipe.verification.decision(
            target: law(target, 0, "target"), drafts: draftLaws, drafted: (0..<Int(drafts)).map { Int(drafted[$0]) },
            seed: seed, position: Int(position))
        token?.pointee = Int64(decision.token)
        taken?.pointee = Int64(decision.draft ?? -1)
        exact?.pointee = decision.isExact ? 1 : 0
        return Status.finished
    }
}
