#!/usr/bin/env python3
"""Table 1 of the paper (De Bortoli et al. 2025) on the bundled CIFAR-10 model: calls, windows, acceptance, Fréchet distance.

    python Benchmarks/fidelity/cifar10_table.py sample CLASSIFIER.safetensors PARTS [--device cuda] [--processes 8]
    python Benchmarks/fidelity/cifar10_table.py table CLASSIFIER.safetensors PARTS --data DATA

The first command samples by the Python package (`pip install ./python`) with the network in PyTorch, a cell of the table
after the other, the important ones first, and keeps of each part of a cell the classifier's features and the costs. It
may be stopped and is resumed by the same command. The second makes the table, against the data set's test images.
"""

import argparse
import json
import multiprocessing
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "weights/training"))

import classifier  # noqa: E402
import frechet  # noqa: E402
import image_data  # noqa: E402
import model_folder  # noqa: E402

MANY, FEW, PART = 2000, 60, 100  # samples of a cell with and without a distance; of a part, multiples of ten classes


@dataclass(frozen=True)
class Cell:
    draft: str
    churn: float
    temperature: float = 1.0
    steps: int = 100
    count: int = FEW

    @property
    def name(self) -> str:
        return f"{self.draft}-{self.churn}-{self.temperature}-{self.steps}"


FEW_STEPS = 14  # the calls that recycled needs, rounded
MAIN_CELLS = [
    Cell("none", 0.25, count=MANY), Cell("recycled", 0.25, count=MANY), Cell("none", 0.0, steps=FEW_STEPS, count=MANY),
    Cell("none", 0.25, steps=30, count=MANY), Cell("recycled", 0.25, 2.0, count=MANY),
    Cell("recycled", 0.25, 0.5, count=MANY), Cell("none", 1.0, count=MANY), Cell("none", 0.5, count=MANY),
    Cell("none", 0.01, count=MANY), Cell("recycled", 1.0, count=MANY),
]
CELLS = MAIN_CELLS + [
    cell
    for churn in (0.25, 0.5, 1.0, 0.01) for temperature in (1.0, 0.5, 2.0)
    for draft in ("frozen", "independent", "recycled")
    for cell in [Cell(draft, churn, temperature)]
    if cell.name not in {main.name for main in MAIN_CELLS}
]


class Worker:
    """The networks of a process, loaded once."""

    loaded: "Worker | None" = None

    def __init__(self, classifier_file: Path, device: str) -> None:
        from diffspec.torch import Denoiser

        torch.set_num_threads(1)
        def denoiser(name: str) -> Denoiser:
            network = model_folder.load(ROOT / "weights" / name).to(device, memory_format=torch.channels_last)
            return Denoiser(network, dtype=torch.bfloat16 if device == "cuda" else torch.float32,
                            call=lambda module, x, t, index: module(x, 1000 * t, index % 10))

        self.target, self.small = denoiser("cifar10"), denoiser("cifar10-draft")
        self.classifier = classifier.load(classifier_file).to(device).eval()
        self.device = device

    @classmethod
    def part(cls, task: tuple[Cell, int, Path, Path, str]) -> str:
        import diffspec

        cell, first, classifier_file, folder, device = task
        path = folder / f"{cell.name}-{first:05}.npz"
        if path.exists():
            return path.name
        cls.loaded = cls.loaded or Worker(classifier_file, device)
        self = cls.loaded
        result = diffspec.sample(
            self.target, (3, 32, 32), steps=cell.steps, window=20, prediction="v_prediction", churn=cell.churn,
            count=min(PART, cell.count - first), first=first, draft=cell.draft,
            # Cells of other settings have other noise, so that their distances are independent.
            seed=sum(map(ord, cell.name)), fallback=False, draft_denoiser=self.small,
            rule="reflection" if cell.temperature == 1 else f"temperature:{cell.temperature}")
        with torch.no_grad():
            images = torch.from_numpy(result.samples).clamp(-1, 1).to(self.device)
            features = self.classifier.features(images).float().cpu().numpy()
        samples = result.report["per_sample"]
        counts = {key: np.array([one[key] for one in samples]) for key in ("nfe", "evaluations", "accepted", "rejected")}
        unfinished = path.with_suffix(".unfinished.npz")
        np.savez(unfinished, features=features, windows=result.windows.mean * len(samples), **counts)
        unfinished.rename(path)
        return path.name


def sample(arguments: argparse.Namespace) -> None:
    arguments.parts.mkdir(parents=True, exist_ok=True)
    (arguments.parts / "cells.json").write_text(json.dumps([asdict(cell) for cell in CELLS], indent=1))
    cells = [replace(cell, count=min(cell.count, arguments.most or cell.count)) for cell in CELLS]
    tasks = [(cell, first, arguments.classifier, arguments.parts, arguments.device)
             for cell in cells for first in range(0, cell.count, PART)]
    began = time.monotonic()
    with multiprocessing.get_context("spawn").Pool(arguments.processes) as pool:
        for done, name in enumerate(pool.imap(Worker.part, tasks), 1):
            print(f"{done} of {len(tasks)}: {name} after {time.monotonic() - began:.0f} s", flush=True)


def table(arguments: argparse.Namespace) -> None:
    network = classifier.load(arguments.classifier)
    real = classifier.in_batches(network.features, image_data.scaled(
        image_data.load("cifar10", arguments.data, "test").images))
    print("| draft | ε | τ | steps | samples | calls | windows | rows | accepted | distance to the test images |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for cell in CELLS:
        parts = [np.load(path) for path in sorted(arguments.parts.glob(f"{cell.name}-?????.npz"))]
        if not parts:
            continue
        calls, rows, accepted, rejected = (np.concatenate([part[key] for part in parts])
                                           for key in ("nfe", "evaluations", "accepted", "rejected"))
        windows = sum(float(part["windows"]) for part in parts) / len(calls)
        error = calls.std(ddof=1) / len(calls) ** 0.5
        decided = accepted.sum() + rejected.sum()
        distance = ""
        features = torch.from_numpy(np.concatenate([part["features"] for part in parts]))
        if len(features) >= MANY // 2:
            # The same number of real images, so that the sets' sizes are the same in all rows.
            distance = f"{frechet.frechet_distance(features, real[:len(features)]):.2f}"
        print(f"| {cell.draft} | {cell.churn} | {cell.temperature} | {cell.steps} | {len(calls)} | {calls.mean():.1f} ± "
              f"{error:.1f} | {windows:.1f} | {rows.mean():.0f} | "
              f"{f'{accepted.sum() / decided:.1%}' if decided else ''} | {distance} |")


def main() -> None:
    parser = argparse.ArgumentParser(description="The paper's Table 1 on the bundled CIFAR-10 model.")
    parser.add_argument("task", choices=("sample", "table"))
    parser.add_argument("classifier", type=Path, help="weights from train_classifier.py")
    parser.add_argument("parts", type=Path, help="folder of the finished parts")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--most", type=int, help="samples of a cell at most")
    parser.add_argument("--data", type=Path, help="folder of CIFAR-10, for the table")
    arguments = parser.parse_args()
    if arguments.task == "table" and arguments.data is None:
        parser.error("the table needs --data")
    if not arguments.classifier.is_file():
        parser.error(f"{arguments.classifier} is no file: train_classifier.py makes one")
    sample(arguments) if arguments.task == "sample" else table(arguments)


if __name__ == "__main__":
    main()
