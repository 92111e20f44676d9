"""Wall-clock of whole sampling runs: plain and speculative, one image and sixteen, over windows.

    python3 Benchmarks/end_to_end.py .build/release/diffspec [--rounds 5]

Runs take turns, round by round; medians and the ratio plain/speculative of each round's pair are printed.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
from pathlib import Path


def run(program: str, folder: Path, count: int, draft: str, window: str, seed: int) -> dict:
    report = folder / "report.json"
    command = [program, "sample", "--quiet", "--count", str(count), "--draft", draft, "--window", window]
    command += ["--seed", str(seed), "--no-fallback", "--out", str(folder / "grid.png"), "--report", str(report)]
    subprocess.run(command, check=True)
    return json.loads(report.read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--windows", nargs="+", default=["2", "4", "6", "10", "20", "auto"])
    parser.add_argument("--counts", nargs="+", type=int, default=[1, 16])
    arguments = parser.parse_args()

    print("| images | window | seconds | NFE | evaluations | plain/speculative by the clock |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for count in arguments.counts:
            plain: list[float] = []
            reports: dict[str, list[dict]] = {window: [] for window in arguments.windows}
            for seed in range(arguments.rounds):
                plain.append(run(arguments.program, folder, count, "none", "20", seed)["wall_seconds"])
                for window in arguments.windows:
                    reports[window].append(run(arguments.program, folder, count, "recycled", window, seed))
            print(f"| {count} | plain | {statistics.median(plain):.2f} | 100 | 100 | 1 |")
            for window, entries in reports.items():
                seconds = [entry["wall_seconds"] for entry in entries]
                ratio = statistics.median(p / s for p, s in zip(plain, seconds, strict=True))
                nfe = statistics.mean(entry["nfe"]["mean"] for entry in entries)
                evaluations = statistics.mean(entry["evaluations"]["mean"] for entry in entries)
                cells = f"{statistics.median(seconds):.2f} | {nfe:.1f} | {evaluations:.0f} | {ratio:.2f}"
                print(f"| {count} | {window} | {cells} |")


if __name__ == "__main__":
    main()
