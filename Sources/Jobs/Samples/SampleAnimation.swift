import Diffusion
import Foundation
import Imaging
import Models
import Reports

/// How samples come about, call by call, by plain and by speculative sampling side by side: an animated PNG of what each is about to
/// become, with bars below. Blue are the steps that are decided, light blue what the last window drafted beyond them, and an
/// orange mark stands where a draft was rejected and repaired.
struct SampleAnimation {
    /// Of the run's samples, the first; more could not be looked at.
    static let mostSamples = 16
    /// Frames of pictures, and of latents, which take long to decode. Longer runs leave frames out.
    private static let (mostFrames, mostDecodedFrames) = (150, 30)
    private static let (duration, lastDuration) = (100, 2500)  // milliseconds

    let model: ImageModel
    let request: SampleRequest
    let monitor: any RunMonitor

    /// A sample after some calls.
    private struct Moment {
        /// x̂0, or the state before the first call.
        var values: [Double]
        var decided = 0
        /// Where the last window ended.
        var drafted = 0
        var repairs: Set<Int> = []
    }

    /// A way of sampling.
    private struct Course {
        let title: String
        /// Of its chain.
        let steps: Int
        /// Each sample's moment after 0, s, 2s, … calls, where a frame is shown every s calls, and then at the end.
        var moments: [[Moment]] = []
        /// In all.
        var calls = 0
    }

    /// Calls from one frame to the next.
    private let stride: Int

    init(model: ImageModel, request: SampleRequest, monitor: any RunMonitor) {
        (self.model, self.request, self.monitor) = (model, request, monitor)
        // Plain sampling takes a call a step, and speculation hardly ever more.
        let most = model.decoder == nil ? Self.mostFrames : Self.mostDecodedFrames
        stride = max(1, (request.recipe.chain.steps + most - 1) / most)
    }

    /// - Throws: what the model throws, `ImagingError`, or what the monitor throws to end it.
    func write(to path: String, texts: [PNGText]) throws {
        var courses = [try course("plain", request.recipe.plain)]
        if request.recipe.speculation.draft != .none { courses.append(try course("speculative", request.recipe)) }
        let count = courses.map(\.moments.count).max() ?? 0
        monitor.begin("animating", total: Double(count))
        defer { monitor.end() }
        try Image.writeAnimation(count: count, to: path, texts: texts) { index in
            try monitor.check()
            monitor.update(done: Double(index)) { _ in "\(index) of \(count) frames" }
            return Image.Frame(
                Image.row(try courses.map { try picture(of: $0, frame: index) }),
                milliseconds: index == count - 1 ? Self.lastDuration : Self.duration)
        }
    }

    /// Samples once more, and notes what is seen at every frame.
    private func course(_ title: String, _ recipe: SamplingRecipe) throws -> Course {
        let count = min(request.count, Self.mostSamples)
        let sampler = try model.sampler(recipe, lanes: count, threads: request.threads)
        return try course(title, sampler, count: count)
    }

    private func course(_ title: String, _ sampler: some Sampler, count: Int) throws -> Course {
        var now = (0..<count).map { Moment(values: sampler.start(sample: $0).state) }
        var course = Course(title: title, steps: sampler.chain.stepCount, moments: [now])
        monitor.begin("animating: \(title)", total: Double(count * sampler.chain.stepCount))
        defer { monitor.end() }
        try sampler.run(samples: 0..<count, lanes: count) { info, active in
            try monitor.check()
            for state in active {
                let isOver = state.step == sampler.chain.stepCount
                now[state.sample].values = isOver ? state.state : state.prediction ?? state.state
                now[state.sample].decided = state.step
                now[state.sample].drafted = state.step
            }
            for scored in info.scored {
                now[scored.window.sample].drafted = scored.window.firstStep + scored.window.length
            }
            for decision in info.decisions where !decision.isAccepted {
                now[decision.sample].repairs.insert(decision.step)
            }
            course.calls += info.calls
            while course.moments.count * stride <= course.calls { course.moments.append(now) }
            monitor.update(done: Double(now.reduce(0) { $0 + $1.decided })) { _ in "\(course.calls) calls" }
        } onFinished: { _ in
        }
        if (course.moments.count - 1) * stride < course.calls { course.moments.append(now) }
        return course
    }

    private func picture(of course: Course, frame: Int) throws -> Image {
        let format = SampleFormat(model)
        let cells = try course.moments[min(frame, course.moments.count - 1)].map { moment in
            let values =
                try model.decoder?.picture(of: moment.values, threads: request.threads) ?? moment.values
            let picture = format.picture(of: values)
            let scale =
                request.gridStyle.scale ?? Image.visibleScale(width: picture.width, height: picture.height)
            return picture.enlarged(by: scale).above(bar(of: moment, steps: course.steps, width: picture.width * scale))
        }
        func title(_ calls: Int) -> String {
            "\(course.title): \(calls) calls" + (calls == course.calls ? ", done" : "")
        }
        let grid = Image.grid(cells, scale: 1) ?? Image(width: 1, height: 1, channels: 3, fill: 255)
        return grid.titled(title(min(frame * stride, course.calls)), longest: title(course.calls))
    }

    /// Parts of the chain, from its first step to its last.
    private func bar(of moment: Moment, steps: Int, width: Int) -> [Image.Segment] {
        func place(_ step: Int) -> Int { min(step, steps) * width / max(1, steps) }
        let parts = [
            Image.Segment(0..<place(moment.drafted), Colour.palette[4]),
            Image.Segment(0..<place(moment.decided), Colour.palette[0]),
        ]
        let marks = moment.repairs.sorted().map { step in
            Image.Segment(place(step)..<max(place(step + 1), place(step) + 2), Colour.palette[1])
        }
        return parts + marks
    }
}
