"""Are two builds of diffspec equally fast? Runs them in turns on this machine.

    python3 Benchmarks/compare_speed.py OLD NEW [--rounds 15]

OLD and NEW are checkouts in which `swift build -c release` and `swift build -c release --package-path Benchmarks` were run.
Prints for single network calls of several sizes, and for whole sampling runs, the median seconds of both and the median
over the rounds of NEW/OLD with its standard error; which of the two comes first changes from round to round.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

NETWORKS = {"fashion-mnist": [1, 4, 8, 20], "pusht": [1, 20, 80]}
# Samples, draft, window.
RUNS = [(1, "none", 20), (1, "recycled", 4), (16, "none", 20), (16, "recycled", 20)]


class Served:
    """A network-benchmark that answers batch sizes with milliseconds."""

    def __init__(self, checkout: Path, network: str) -> None:
        program = checkout / "Benchmarks/.build/release/network-benchmark"
        folder = checkout / "weights" / network
        self.process = subprocess.Popen([program, folder, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        # "ready"
        self.process.stdout.readline()

    def seconds(self, batch: int) -> float:
        self.process.stdin.write(f"{batch}\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline().split()[0]) / 1e3

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def sampling_seconds(checkout: Path, folder: str, count: int, draft: str, window: int, seed: int) -> float:
    report = Path(folder) / "report.json"
    command = [checkout / ".build/release/diffspec", "sample", "--quiet", "--no-fallback", "--report", report,
               "--out", Path(folder) / "grid.png", "--count", str(count), "--draft", draft, "--window", str(window),
               "--seed", str(seed)]
    subprocess.run(command, check=True)
    return json.loads(report.read_text())["wall_seconds"]


def row(what: str, old: list[float], new: list[float]) -> str:
    ratios = [b / a for a, b in zip(old, new, strict=True)]
    # Of the median of nearly normal ratios.
    error = 1.2533 * statistics.stdev(ratios) / len(ratios) ** 0.5
    return (f"| {what} | {1e3 * statistics.median(old):.2f} | {1e3 * statistics.median(new):.2f} "
            f"| {statistics.median(ratios):.3f} ± {error:.3f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    # It names a processor that OpenBLAS is to take this one for; each build chooses for itself.
    os.environ.pop("OPENBLAS_CORETYPE", None)
    checkouts = [arguments.old, arguments.new]

    def in_turns(what: str, measure) -> None:
        times: list[list[float]] = [[], []]
        for turn in range(arguments.rounds):
            for which in (0, 1) if turn % 2 == 0 else (1, 0):
                times[which].append(measure(which, turn))
        print(row(what, *times), flush=True)

    print("| what | old, ms | new, ms | new/old |\n|---|---|---|---|")
    for network, batches in NETWORKS.items():
        served = [Served(checkout, network) for checkout in checkouts]
        for batch in batches:
            for program in served:
                program.seconds(batch)
            in_turns(f"{network}, {batch} rows", lambda which, _: served[which].seconds(batch))
        for program in served:
            program.close()
    with tempfile.TemporaryDirectory() as folder:
        for count, draft, window in RUNS:
            in_turns(f"{count} images, {draft}, window {window}",
                     lambda which, turn: sampling_seconds(checkouts[which], folder, count, draft, window, turn))


if __name__ == "__main__":
    main()
