"""Effective samples a call of φ⁴, by dynamics and draft: the table of results/langevin/second-order.md.

    python3 Benchmarks/second_order.py .build/release/diffspec [--count 64]
    python3 Benchmarks/second_order.py .build/release/diffspec --only hessian      # some of its rows
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

# Steps of a chain and those at its end that count. The first are for a chain to find a well and settle there.
# dynamics, friction, step size, steps K, tail
SETTINGS = [
    ("overdamped", None, "1e-3", 6_000, 4_000),
    ("overdamped", None, "2.5e-5", 200_000, 80_000),
    ("obabo", 10, "0.04", 3_000, 2_000),
    ("obabo", 10, "0.00707", 12_000, 8_000),
    ("aboba", 10, "0.04", 3_000, 2_000),
]
REFERENCE = ("aboba", 10, "0.01", 8_000, 6_000)
DRAFTS = ["none", "frozen", "frozen-denoiser", "recycled", "hessian"]
WINDOW = "20"
# Of the last setting with the best drafts.
OTHER_WINDOWS = ["40", "80", "adaptive"]


def rows() -> list[tuple]:
    """Setting, draft and window of each."""
    main = [(setting, draft, WINDOW) for setting in SETTINGS for draft in DRAFTS]
    return main + [(SETTINGS[-1], draft, window) for draft in ["recycled", "hessian"] for window in OTHER_WINDOWS]


def run(program: str, setting: tuple, draft: str, window: str, seed: int, count: int, threads: int) -> dict | None:
    """The report of `diffspec langevin`; None where the chains diverge."""
    dynamics, friction, step, steps, tail = setting
    command = [program, "langevin", "--quiet", "--energy", "phi4", "--beta", "100", "--lattice", "8"]
    command += ["--dynamics", dynamics] + (["--friction", str(friction)] if friction else [])
    command += ["--step", step, "--steps", str(steps), "--tail", str(tail), "--count", str(count)]
    command += ["--draft", draft, "--window", window, "--no-fallback", "--seed", str(seed)]
    command += ["--threads", str(threads)] if threads else []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        result = subprocess.run([*command, "--report", str(report)], capture_output=True, text=True)
        if result.returncode == 0:
            return json.loads(report.read_text())
        # A frozen gradient may throw a stiff lattice off; anything else is an error of this program.
        if "finite" in result.stderr or "diverge" in result.stderr:
            return None
        raise SystemExit(result.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=64, help="chains a row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0 for all cores; changes no number")
    parser.add_argument("--only", nargs="+", metavar="DRAFT", help="the rows of these drafts alone")
    arguments = parser.parse_args()

    seed = arguments.seed
    reference = run(arguments.program, REFERENCE, "hessian", WINDOW, seed, 4 * arguments.count, arguments.threads)["energy"]
    print(f"{arguments.count} chains a row, each row a seed of its own from {seed + 1} on; φ⁴, 8 × 8, β = 100. Reference:")
    print(f"energy {reference['mean']:.3f} ± {reference['standard_error']:.3f} ({REFERENCE[0]}, friction {REFERENCE[1]},")
    print(f"h = {REFERENCE[2]}, {4 * arguments.count} chains).")
    print()
    print("| dynamics | step | draft | window | energy | above the reference | calls a chain | evaluations | acceptance | τ |"
          " effective samples a call |")
    print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for setting, draft, window in rows():
        seed += 1
        if arguments.only and draft not in arguments.only:
            continue
        dynamics, friction, step, steps, _ = setting
        name = dynamics + (f", γ = {friction}" if friction else "")
        head = f"| {name} | {step} | {draft} | {window if draft != 'none' else ''} |"
        result = run(arguments.program, setting, draft, window, seed, arguments.count, arguments.threads)
        if result is None:
            print(f"{head} diverges | | | | | | |", flush=True)
            continue
        energy, effective = result["energy"], result["effective"]
        error = (energy["standard_error"] ** 2 + reference["standard_error"] ** 2) ** 0.5
        cells = [
            f"{energy['mean']:.3f} ± {energy['standard_error']:.3f}",
            f"{energy['mean'] - reference['mean']:+.3f} ± {error:.3f}",
            f"{result['nfe']['mean']:,.0f} of {steps:,}", f"{result['evaluations']['mean']:,.0f}",
            f"{100 * result['acceptance']:.1f} %" if draft != "none" else "",
            f"{effective['autocorrelation_time']:.1f}" if effective else "unknown",
            f"{effective['per_call']:.4f} ± {effective['standard_error']:.4f}" if effective else "unknown",
        ]
        print(f"{head} {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
