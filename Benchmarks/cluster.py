"""Several processes against one, and against what diffspec plan predicts. For an idle machine with Open MPI.

    swift build -c release && swift build -c release --package-path MPI
    python Benchmarks/peers/make_cifar10.py /tmp/cifar10
    python3 Benchmarks/cluster.py .build/release/diffspec MPI/.build/release/diffspec-mpi --large /tmp/cifar10

1. Efficiency: 64 samples by two processes of one thread, over one process of two threads.
2. Overhead: what part of a call of the large network is not computing, when two processes share it.
3. Prediction: seconds of a sample by one process and by two that share its calls, as `diffspec plan` predicts them from
   calls timed in one process, and as measured.
The runs of a comparison take turns, and medians are taken.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

ENVIRONMENT = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}


class Programs:
    def __init__(self, single: str, parallel: str, folder: Path) -> None:
        self.single, self.parallel, self.folder = (str(Path(single).absolute()), str(Path(parallel).absolute()), folder)

    def sample(self, ranks: int, threads: int, *options: str) -> dict:
        launcher = ["mpirun", "-n", str(ranks), self.parallel] if ranks > 1 else [self.single]
        run = [*launcher, "sample", *options, "--threads", str(threads), "--quiet", "--report", "r.json", "--out", "o.png"]
        subprocess.run(run, cwd=self.folder, check=True, env=ENVIRONMENT)
        return json.loads((self.folder / "r.json").read_text())

    def plan(self, *options: str) -> dict:
        run = [self.single, "plan", *options, "--threads", "1", "--json", "--quiet"]
        return json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)


def efficiency(programs: Programs, rounds: int, count: int) -> None:
    one, two = [], []
    for _ in range(rounds):
        one.append(programs.sample(1, 2, "--count", str(count))["wall_seconds"])
        two.append(programs.sample(2, 1, "--count", str(count), "--parallel", "samples")["wall_seconds"])
    ratio = statistics.median(a / b for a, b in zip(one, two, strict=True))
    print(f"| {count} samples, seconds | 1 × 2 threads | 2 × 1 thread | efficiency |\n|---|---|---|---|")
    print(f"| medians of {rounds} | {statistics.median(one):.2f} | {statistics.median(two):.2f} | {ratio:.3f} |\n")


def overhead(programs: Programs, rounds: int, large: str, steps: int) -> None:
    print("| window | calls | seconds a call | slowest process's computing | overhead |\n|---|---|---|---|---|")
    for window in [5, 20]:
        parts = []
        for _ in range(rounds):
            report = programs.sample(
                2, 1, "--model", large, "--schedule", "cosine", "--steps", str(steps), "--window", str(window),
                "--no-fallback", "--count", "1", "--parallel", "window")  # fmt: skip
            shared = report["parallel"]
            parts.append((1 - shared["computing_seconds"] / shared["call_seconds"], report["calls"], shared))
        part, calls, shared = sorted(parts, key=lambda item: item[0])[len(parts) // 2]
        seconds, computing = shared["call_seconds"] / calls, shared["computing_seconds"] / calls
        print(f"| {window} | {calls} | {seconds:.4f} | {computing:.4f} | {100 * part:.2f} % |")
    print()


def prediction(programs: Programs, rounds: int, latency: float, bandwidth: float, model: str) -> None:
    windows = ["5", "10", "20", "50"]
    options = ["--model", model, "--steps", "100"]
    predicted: dict[tuple[str, int], list[float]] = {(window, ranks): [] for window in windows for ranks in (1, 2)}
    measured = {key: [] for key in predicted}
    for _ in range(rounds):
        plan = programs.plan(
            *options, "--ranks", "1,2", "--latency", str(latency), "--bandwidth", str(bandwidth), "--all-drafts", "recycled",
            "--all-windows", ",".join(windows), "--count", "4")  # fmt: skip
        for window, cell in zip(windows, plan["cells"], strict=True):
            for ranks, seconds in zip((1, 2), cell["rank_seconds"], strict=True):
                shared = ["--parallel", "window"] if ranks > 1 else []
                report = programs.sample(ranks, 1, *options, "--window", window, "--count", "4", "--batch", "1", *shared)
                predicted[window, ranks].append(seconds)
                measured[window, ranks].append(report["wall_seconds"] / 4)
    print("| window | processes | predicted, s a sample | measured | predicted/measured, median (range) |\n|---|---|---|---|---|")
    for window, ranks in predicted:
        both = (predicted[window, ranks], measured[window, ranks])
        ratios = sorted(p / m for p, m in zip(*both, strict=True))
        seconds = " | ".join(f"{statistics.median(values):.3f}" for values in both)
        print(f"| {window} | {ranks} | {seconds} | {statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("single")
    parser.add_argument("parallel")
    parser.add_argument("--large", help="folder of a large model; no overhead is measured without it")
    parser.add_argument("--model", default="fashion-mnist", help="of the predictions")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--steps", type=int, default=20, help="of the large model's sample")
    parser.add_argument("--latency", type=float, default=1.0, help="µs between the processes")
    parser.add_argument("--bandwidth", type=float, default=4.0, help="GB/s between the processes")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        programs = Programs(arguments.single, arguments.parallel, Path(name))
        efficiency(programs, arguments.rounds, arguments.count)
        if arguments.large:
            overhead(programs, arguments.rounds, str(Path(arguments.large).absolute()), arguments.steps)
        prediction(programs, arguments.rounds, arguments.latency, arguments.bandwidth, arguments.model)


if __name__ == "__main__":
    main()
