"""Times one U-Net in PyTorch (channels_last), ONNX Runtime, OpenVINO and diffspec, alternating in one run.

All engines get the same weights, the same inputs and the same number of threads. Each round times every engine once,
so that whatever else the machine does falls on all of them; printed are medians over the rounds, and ratios to ours. Processor
time counts what the engine's threads used, and not what other programs took meanwhile: on a machine that is not idle it is the
fairer measure.

    python compare.py MODEL_FOLDER [--batches 1 8 20] [--rounds 11] [--threads 2] [--engines pytorch onnxruntime openvino]
                      [--precision bf16]

In bf16, PyTorch runs under autocast, OpenVINO with that hint, ONNX Runtime, which has no such kernels, not at all, and the program
in f32 too; printed are also the errors against PyTorch's f32 (of the program against its own), in deviations of the output.

Build first: swift build -c release --package-path Benchmarks
"""
import argparse
import os
import pathlib
import re
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


def pytorch(model, args, threads, precision):
    torch.set_num_threads(threads)
    wrapped = Wrapped(model).to(memory_format=torch.channels_last)
    tensors = [torch.from_numpy(a) for a in args]
    tensors[0] = tensors[0].contiguous(memory_format=torch.channels_last)

    def run():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            return wrapped(*tensors).float().numpy()

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
    def __init__(self, folder, threads, precision):
        self.command = [str(OURS), folder, "--threads", str(threads), "--precision", precision]
        self.process = subprocess.Popen(
            self.command + ["--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        print("diffspec:", self.process.stdout.readline().strip())

    def time(self, batch):
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        return tuple(map(float, self.process.stdout.readline().split()))

    def error(self, batch):
        """Against f32: root mean square and largest, in deviations of the output."""
        line = subprocess.run(
            self.command + ["--error", "--batches", str(batch)], check=True, capture_output=True, text=True).stdout
        return tuple(map(float, re.search(r"square (\S+) +largest (\S+)", line).groups()))

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
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    options = parser.parse_args()

    # It names a processor that OpenBLAS is to take this one for; each engine chooses for itself.
    os.environ.pop("OPENBLAS_CORETYPE", None)
    precision = options.precision
    model = UNet2DModel.from_pretrained(options.folder).eval()
    ours = {f"diffspec {name}": Ours(options.folder, options.threads, name) for name in dict.fromkeys([precision, "f32"])}
    first_name = f"diffspec {precision}"
    print("| batch | engine | median ms a row | fastest | ours / theirs | processor ms a row | ours / theirs | error | largest |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for batch in options.batches:
        args = inputs(model.config, batch)
        with tempfile.TemporaryDirectory() as folder:
            engines = {}
            if "pytorch" in options.engines:
                engines[f"PyTorch {precision}"] = pytorch(model, args, options.threads, precision)
            if "onnxruntime" in options.engines and precision == "f32":
                engines["ONNX Runtime"] = onnxruntime(model, args, options.threads, folder)
            if "openvino" in options.engines:
                engines[f"OpenVINO {precision}"] = openvino(model, args, options.threads, precision)
            exact = pytorch(model, args, options.threads, "f32")()
            errors = {name: ours[name].error(batch) for name in ours}
            for name, run in engines.items():
                difference = (run() - exact) / exact.std()
                errors[name] = (np.sqrt((difference**2).mean()), np.abs(difference).max())
                bound = 1e-3 if precision == "f32" else 1
                assert errors[name][1] < bound, f"{name} computes something else"
            for program in ours.values():
                program.time(batch)
            times = {name: [] for name in [*ours, *engines]}
            for _ in range(options.rounds):
                for name, program in ours.items():
                    times[name].append(program.time(batch))
                for name, run in engines.items():
                    start, processor = time.perf_counter(), time.process_time()
                    run()
                    times[name].append(((time.perf_counter() - start) * 1e3, (time.process_time() - processor) * 1e3))
        medians = {name: [statistics.median(column) for column in zip(*values)] for name, values in times.items()}
        ours_clock, ours_processor = medians[first_name]
        for name, values in times.items():
            clock, processor = medians[name]
            fastest = min(values)[0]
            print(
                f"| {batch} | {name} | {clock / batch:.2f} | {fastest / batch:.2f} | {ours_clock / clock:.2f} "
                f"| {processor / batch:.2f} | {ours_processor / processor:.2f} "
                f"| {errors[name][0]:.1e} | {errors[name][1]:.1e} |", flush=True)
    for program in ours.values():
        program.close()


if __name__ == "__main__":
    main()
