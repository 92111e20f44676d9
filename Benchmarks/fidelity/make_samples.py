#!/usr/bin/env python3
"""Samples of the bundled model by every way that `compare_samples.py` compares.

    python3 Benchmarks/fidelity/make_samples.py .build/release/diffspec SAMPLES [--count 2000] [--threads 2]

SAMPLES gets a file of raw samples and a report for each way and each hundred samples. A part that is there already is
not made again, and all ways advance together, so that the run may be stopped at any time and is resumed by the same command.
"""

import argparse
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PART = 100  # samples a file; a multiple of the ten classes, which the samples cycle through
STEPS = 100
FEW_STEPS = 13  # the mean NFE of speculative sampling with the defaults, 12 to 12.5, rounded up


@dataclass(frozen=True)
class Way:
    """One way to sample; `seed` differs between ways, so that no two share their noise."""

    name: str
    seed: int
    steps: int
    churn: float = 0.25
    spacing: str = "uniform"
    draft: str = "none"

    def options(self) -> list[str]:
        settings = {"steps": self.steps, "churn": self.churn, "spacing": self.spacing, "draft": self.draft}
        return [word for name, value in settings.items() for word in (f"--{name}", str(value))]


WAYS = [
    Way("plain", 1, STEPS),
    Way("plain-again", 2, STEPS),
    Way("speculative", 3, STEPS, draft="recycled"),
    Way("few-uniform", 4, FEW_STEPS),
    Way("few-edm", 5, FEW_STEPS, spacing="edm"),
    Way("few-deterministic-uniform", 6, FEW_STEPS, churn=0),
    Way("few-deterministic-edm", 7, FEW_STEPS, churn=0, spacing="edm"),
    Way("double-deterministic-uniform", 8, 2 * FEW_STEPS, churn=0),
    Way("double-deterministic-edm", 9, 2 * FEW_STEPS, churn=0, spacing="edm"),
]


def part_path(folder: Path, way: Way, part: int) -> Path:
    return folder / f"{way.name}-{part:04}.safetensors"


def make_part(program: str, folder: Path, way: Way, part: int, threads: int) -> None:
    """One part; its file appears when it is whole. Parts have seeds of their own."""
    path = part_path(folder, way, part)
    unfinished = folder / "unfinished.safetensors"
    command = [program, "sample", "--quiet", "--no-fallback", "--count", str(PART)]
    command += ["--seed", str(1000 * way.seed + part), "--threads", str(threads), *way.options()]
    command += ["--tensors", str(unfinished), "--report", str(path.with_suffix(".json"))]
    subprocess.run([*command, "--out", str(folder / "grid.png")], check=True)
    os.replace(unfinished, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("samples", type=Path, metavar="SAMPLES", help="folder for the samples")
    parser.add_argument("--count", type=int, default=2000, help=f"samples of each way, in parts of {PART}")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    arguments.samples.mkdir(parents=True, exist_ok=True)
    parts = max(1, arguments.count // PART)
    for part in range(parts):
        for way in WAYS:
            if not part_path(arguments.samples, way, part).exists():
                make_part(arguments.program, arguments.samples, way, part, arguments.threads)
        print(f"{(part + 1) * PART} of {parts * PART} samples of {len(WAYS)} ways", flush=True)


if __name__ == "__main__":
    main()
