#!/usr/bin/env python3
"""Samples of the bundled model by every rule of verification, for the table that `compare_rules.py` makes: the shape of
Tables 1 and 8 of "Accelerated Diffusion Models via Speculative Sampling" (De Bortoli et al. 2025) on Fashion-MNIST.

    python3 Benchmarks/fidelity/make_rules.py .build/release/diffspec SAMPLES [--autoencoder DIR] [--threads 2]

SAMPLES gets a file of raw samples and a report for each cell and each hundred samples: one hundred of every cell,
then more of the cells whose pictures are judged. A part that is there already is not made again, so that the run may be
stopped at any time and is resumed by the same command. DIR is what `train_autoencoder.py` made; without it its cells
are left out.
"""

import argparse
import math
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

PART = 100  # samples a file; a multiple of the ten classes, which the samples cycle through
JUDGED_PARTS = 5  # of the cells whose pictures are judged
PIXELS = 28 * 28
WINDOWS = {30: 30, 100: 20}  # L by K
CHURNS = (0.25, 0.01, 1.0)
TEMPERATURES = (0.5, 1, 2, 10)
PLAIN = "plain"
AUTOENCODER = "autoencoder"


def typical(deviations: float) -> str:
    """Typical acceptance of what lies up to so many standard deviations further out than is typical of the target:
    `log δ = -c √(d/2)`, and no threshold κ."""
    return f"typical:inf,{math.exp(-deviations * math.sqrt(PIXELS / 2)):.3g}"


@dataclass(frozen=True)
class Cell:
    """One way to sample. `parallel` is Table 8's p: parallel calls of Picard's iteration before each verification."""

    steps: int
    churn: float
    rule: str
    parallel: int = 0
    is_judged: bool = False

    @property
    def name(self) -> str:
        words = (self.rule, f"K{self.steps}", f"churn{self.churn}", f"p{self.parallel}")
        return "-".join(words).replace(":", "_").replace(",", "_")

    def options(self, autoencoder: Path | None) -> list[str]:
        draft = "none" if self.rule == PLAIN else f"picard:{self.parallel}" if self.parallel else "recycled"
        rule = f"{AUTOENCODER}:{autoencoder}" if self.rule == AUTOENCODER else self.rule
        options = ["--steps", str(self.steps), "--churn", str(self.churn), "--draft", draft]
        if self.rule != PLAIN:
            options += ["--window", str(WINDOWS[self.steps]), "--rule", rule]
        return options


def cells() -> list[Cell]:
    """In the order in which they are made: the most telling first."""
    result = []
    others = (typical(1), typical(3), "projection:pool:2", "projection:pool:4", AUTOENCODER)
    temperatures = tuple(f"temperature:{tau}" for tau in TEMPERATURES)
    for steps in WINDOWS:
        for rule in temperatures + others:
            result.append(Cell(steps, CHURNS[0], rule, is_judged=True))
    for churn in CHURNS[1:]:
        for steps in WINDOWS:
            result += [Cell(steps, churn, rule) for rule in temperatures]
    for rule in ("temperature:1", "temperature:10", "projection:pool:4"):
        for steps in WINDOWS:
            result += [Cell(steps, CHURNS[0], rule, parallel) for parallel in (1, 5)]
    few, many = (Cell(steps, CHURNS[0], PLAIN, is_judged=True) for steps in WINDOWS)
    return [few, *result, many]


def part_path(folder: Path, cell: Cell, part: int) -> Path:
    return folder / f"{cell.name}-{part:04}.safetensors"


def make_part(program: str, folder: Path, cell: Cell, part: int, seed: int, arguments: argparse.Namespace) -> None:
    """One part; its file appears when it is whole."""
    path = part_path(folder, cell, part)
    unfinished = folder / "unfinished.safetensors"
    command = [program, "sample", "--quiet", "--no-fallback", "--count", str(PART), "--seed", str(seed)]
    command += ["--threads", str(arguments.threads), *cell.options(arguments.autoencoder)]
    command += ["--tensors", str(unfinished), "--report", str(path.with_suffix(".json"))]
    subprocess.run([*command, "--out", str(folder / "grid.png")], check=True)
    os.replace(unfinished, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("samples", type=Path, metavar="SAMPLES", help="folder for the samples")
    parser.add_argument("--autoencoder", type=Path, metavar="DIR", help="what train_autoencoder.py made")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    arguments.samples.mkdir(parents=True, exist_ok=True)
    for part in range(JUDGED_PARTS):
        for index, cell in enumerate(cells()):
            is_wanted = part == 0 or cell.is_judged
            is_possible = cell.rule != AUTOENCODER or arguments.autoencoder
            if is_wanted and is_possible and not part_path(arguments.samples, cell, part).exists():
                # No two cells share their noise.
                make_part(arguments.program, arguments.samples, cell, part, 1000 * (index + 1) + part, arguments)
                print(f"{cell.name}, part {part + 1}", flush=True)


if __name__ == "__main__":
    main()
