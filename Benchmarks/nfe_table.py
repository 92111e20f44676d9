"""Calls, evaluations and acceptance of the drafts on the bundled model: the README's table.

    python3 Benchmarks/nfe_table.py .build/release/diffspec [--count 64]
    python3 Benchmarks/nfe_table.py .build/release/diffspec --only independent frozen-fresh     # some of its rows
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

# steps K, window L, churn, drafts
CELLS = [
    (100, 20, 0.25, ["recycled"]),
    (100, 20, 0.5, ["recycled"]),
    (100, 20, 1.0, ["recycled"]),
    (30, 30, 0.25, ["recycled"]),
    (30, "adaptive", 0.25, ["recycled"]),
    (100, 32, 0.25, ["recycled"]),
    (100, 100, 0.25, ["recycled"]),
    (200, 50, 0.25, ["recycled"]),
    (100, 20, 0.25, ["frozen", "assisted", "corrected", "mixture:learnt"]),
    (30, 30, 0.25, ["frozen", "assisted", "corrected", "mixture:learnt"]),
    (100, 20, 0.5, ["frozen", "assisted", "corrected", "mixture:learnt"]),
    (100, 20, 1.0, ["frozen", "assisted", "corrected", "mixture:learnt"]),
    (1000, 100, 0.25, ["recycled"]),
    (100, 100, 0.25, ["assisted", "corrected", "mixture:learnt"]),
    (200, 50, 0.25, ["assisted", "corrected", "mixture:learnt"]),
    (100, 20, 0.25, ["frozen-denoiser", "recycled-zeroth"]),
    (100, 20, 0.25, ["frozen-fresh", "frozen-previous", "independent"]),
    (30, 30, 0.25, ["frozen-fresh", "frozen-previous", "independent"]),
    (100, 20, 0.25, ["picard:1", "picard:2", "picard-deterministic:1", "picard-deterministic:2"]),
    (30, 30, 0.25, ["picard:1", "picard:2", "picard-deterministic:1", "picard-deterministic:2"]),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores; changes no number")
    parser.add_argument("--only", nargs="+", metavar="DRAFT", help="the rows of these drafts alone")
    arguments = parser.parse_args()
    print(f"{arguments.count} samples a cell, seed {arguments.seed}, temperature 1; mean ± standard error")
    print()
    print("| steps K | window L | churn | draft | NFE | windows | evaluations | acceptance | samples |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        for steps, window, churn, drafts in CELLS:
            for draft in (name for name in drafts if not arguments.only or name in arguments.only):
                command = [arguments.program, "sample", "--quiet", "--steps", str(steps), "--window", str(window)]
                command += ["--churn", str(churn), "--draft", draft, "--count", str(arguments.count), "--no-fallback"]
                command += ["--seed", str(arguments.seed), "--out", f"{folder}/grid.png", "--report", str(report)]
                command += ["--threads", str(arguments.threads)] if arguments.threads else []
                subprocess.run(command, check=True)
                result = json.loads(report.read_text())
                calls = [sample["nfe"] for sample in result["per_sample"]]
                mean = sum(calls) / len(calls)
                error = (sum((c - mean) ** 2 for c in calls) / max(1, len(calls) - 1) / len(calls)) ** 0.5
                evaluations, acceptance = result["evaluations"]["mean"], 100 * result["acceptance"]
                cells = f"{mean:.1f} ± {error:.1f} | {result['windows']['mean']:.1f} | {evaluations:.0f}"
                cells += f" | {acceptance:.0f} % | {len(calls)}"
                print(f"| {steps} | {window} | {churn} | {draft} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
