"""Times one U-Net in PyTorch (channels_last), ONNX Runtime, OpenVINO and diffspec, alternating in one run.

All engines get the same weights, the same inputs and the same number of threads, in float32. Each round times every engine once,
so that whatever else the machine does falls on all of them; printed are medians over the rounds, and ratios to ours. Processor
time counts what the engine's threads used, and not what other programs took meanwhile: on a machine that is not idle it is the
fairer measure.

    python compare.py MODEL_FOLDER [--batches 1 8 20] [--rounds 11] [--threads 2] [--engines pytorch onnxruntime openvino]

Build first: swift build -c release --package-path Benchmarks
"""
import argparse
import pathlib
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
from diffusers import UNet2DModel

HERE = pathlib.Path(__file__).resolve().parent
OURS = HERE.parent / ".build" / "release" / "network-benchmark"


def inputs(config, batch):
    """What network-benchmark feeds itself."""
    size = config.sample_size or 32
    height, width = (size, size) if isinstance(size, int) else size
    count = batch * config.in_channels * height * width
    sample = ((np.arange(count) * 7919) % 2003 / 1000 - 1).astype(np.float32)
    sample = sample.reshape(batch, config.in_channels, height, width)
    timestep = (np.arange(batch) * 37 % 1000).astype(np.float32)
    labels = np.arange(batch) % config.num_class_embeds if config.num_class_embeds else None
    return [sample, timestep] + ([] if labels is None else [labels.astype(np.int64)])


class Wrapped(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, sample, timestep, class_labels=None):
        return self.model(sample, timestep, class_labels, return_dict=False)[0]


def pytorch(model, args, threads):
    torch.set_num_threads(threads)
    wrapped = Wrapped(model).to(memory_format=torch.channels_last)
    tensors = [torch.from_numpy(a) for a in args]
    tensors[0] = tensors[0].contiguous(memory_format=torch.channels_last)

    def run():
        with torch.inference_mode():
            return wrapped(*tensors).numpy()

    return run


def onnx_file(model, args, folder):
    path = pathlib.Path(folder) / f"model-{len(args[0])}.onnx"
    names = ["sample", "timestep", "class_labels"][: len(args)]
    with torch.inference_mode():
        torch.onnx.export(
            Wrapped(model), tuple(torch.from_numpy(a) for a in args), str(path), input_names=names,
            output_names=["output"], opset_version=18, dynamo=False)
    return path, names


def onnxruntime(model, args, threads, folder):
    import onnxruntime as ort

    path, names = onnx_file(model, args, folder)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = dict(zip(names, args))
    return lambda: session.run(None, feed)[0]


def openvino(model, args, threads, precision):
    import openvino as ov

    core = ov.Core()
    converted = ov.convert_model(Wrapped(model), example_input=[torch.from_numpy(a) for a in args])
    for port, array in zip(converted.inputs, args):
        port.get_node().set_partial_shape(ov.PartialShape(list(array.shape)))
    converted.validate_nodes_and_infer_types()
    compiled = core.compile_model(converted, "CPU", {
        "PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": precision})
    request = compiled.create_infer_request()

    def run():
        return request.infer(args)[0]

    return run


class Ours:
    def __init__(self, folder, threads):
        self.process = subprocess.Popen(
            [str(OURS), folder, "--serve", "--threads", str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print("diffspec:", self.process.stdout.readline().strip())

    def time(self, batch):
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def close(self):
        self.process.stdin.close()
        print("diffspec:", self.process.stdout.readline().strip())
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 20])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--engines", nargs="+", default=["pytorch", "onnxruntime", "openvino"])
    options = parser.parse_args()

    model = UNet2DModel.from_pretrained(options.folder).eval()
    ours = Ours(options.folder, options.threads)
    print("| batch | engine | median ms a row | fastest | ours / theirs | processor ms a row | ours / theirs |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for batch in options.batches:
        args = inputs(model.config, batch)
        with tempfile.TemporaryDirectory() as folder:
            engines = {}
            if "pytorch" in options.engines:
                engines["PyTorch"] = pytorch(model, args, options.threads)
            if "onnxruntime" in options.engines:
                engines["ONNX Runtime"] = onnxruntime(model, args, options.threads, folder)
            if "openvino" in options.engines:
                engines["OpenVINO f32"] = openvino(model, args, options.threads, folder)
            outputs = {name: run() for name, run in engines.items()}
            first = next(iter(outputs.values()), None)
            for name, output in outputs.items():
                assert np.abs(output - first).max() < 1e-3 * first.std(), f"{name} computes something else"
            ours.time(batch)
            times = {name: [] for name in ["diffspec", *engines]}
            for _ in range(options.rounds):
                times["diffspec"].append(ours.time(batch))
                for name, run in engines.items():
                    start, processor = time.perf_counter(), time.process_time()
                    run()
                    times[name].append(((time.perf_counter() - start) * 1e3, (time.process_time() - processor) * 1e3))
        medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in times.items()}
        ours_clock, ours_processor = medians["diffspec"]
        for name, values in times.items():
            clock, processor = medians[name]
            fastest = min(values)[0]
            print(
                f"| {batch} | {name} | {clock / batch:.2f} | {fastest / batch:.2f} | {ours_clock / clock:.2f} "
                f"| {processor / batch:.2f} | {ours_processor / processor:.2f} |", flush=True)
    ours.close()


if __name__ == "__main__":
    main()
