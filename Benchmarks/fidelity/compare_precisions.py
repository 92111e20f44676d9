#!/usr/bin/env python3
"""How far the targets of two precisions are apart: samples of a bundled model in f32 and in bf16.

    python Benchmarks/fidelity/compare_precisions.py DIFFSPEC FOLDER [--model fashion-mnist] [--count 600] [--steps 30]
        [--classifier FILE]

FOLDER keeps the samples (all by plain sampling); those that are there already are not made again. Prints, in Markdown, the drift
of samples of the same seed, two-sample tests of samples of other seeds, and their Fréchet distances, also in the features of a
classifier that `train_classifier.py` made or of the public ResNet-20. Needs PyTorch, numpy, safetensors.
"""

import argparse
import subprocess
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2] / "weights" / "training"))
import classifier
from frechet import frechet_distance

PERMUTATIONS = 2000
POOLING = 4  # pixels a side


def samples(arguments: argparse.Namespace, precision: str, seed: int, *options: str) -> Tensor:
    name = "-".join([arguments.model, precision, str(seed), *(word.strip("-") for word in options)])
    path = arguments.folder / f"{name}.safetensors"
    if not path.exists():
        subprocess.run(
            [arguments.program, "sample", "--model", arguments.model, "--precision", precision, "--draft", "none", "--steps",
             str(arguments.steps), "--count", str(arguments.count), "--seed", str(seed), "--tensors", path, "--out",
             path.with_suffix(".png"), "--report", path.with_suffix(".json"), "--quiet", *options], check=True)
    return load_file(path)["samples"].clamp(-1, 1)


def features(images: Tensor) -> Tensor:
    return F.avg_pool2d(images, POOLING).flatten(1).double()


def energy_test(a: Tensor, b: Tensor, classes: int) -> float:
    """The p-value of the energy distance (Székely & Rizzo 2004) among permutations within each class: sample i of either set
    is of class i modulo their number."""
    rows = torch.cat([a, b])
    distances = torch.cdist(rows, rows)
    count = len(a)
    generator = torch.Generator().manual_seed(0)

    def statistic(first: Tensor) -> float:
        sign = torch.where(first, 1.0, -1.0).double()
        # The sum of all distances between the sets, less those within: -sᵀ D s.
        return -(sign @ distances @ sign).item()

    groups = (torch.arange(count) % classes).repeat(2)
    found = statistic(torch.arange(2 * count) < count)
    as_large = 0
    for _ in range(PERMUTATIONS):
        first = torch.zeros(2 * count, dtype=torch.bool)
        for group in range(classes):
            members = torch.nonzero(groups == group).flatten()
            order = torch.randperm(len(members), generator=generator)
            first[members[order[: len(members) // 2]]] = True
        as_large += statistic(first) >= found
    return (as_large + 1) / (PERMUTATIONS + 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, metavar="DIFFSPEC")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="fashion-mnist")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--classifier", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)

    reference = samples(arguments, "f32", 0)
    same = samples(arguments, "bf16", 0)
    drift = (same - reference).flatten(1)
    rms = drift.pow(2).mean(dim=1).sqrt()
    print(f"{arguments.model}, K = {arguments.steps}, {arguments.count} samples a set, plain sampling.\n")
    print(f"Same seed in bf16 and in f32: pixels, which go from -1 to 1, differ by {rms.pow(2).mean().sqrt():.4f} (root mean "
          f"square); of a sample by {rms.median():.4f} in the median, {rms.max():.4f} at most.\n")
    spaces = {f"pixels averaged over {POOLING}×{POOLING}": features}
    if arguments.classifier:
        network = classifier.load(arguments.classifier)
        spaces["classifier"] = lambda images: classifier.in_batches(network.features, images).double()
    print("| against f32, seed 0 | p of the energy test | " + " | ".join(f"Fréchet distance, {name}" for name in spaces)
          + " |\n" + "|---" * (2 + len(spaces)) + "|")
    others = {
        "f32, seed 1": samples(arguments, "f32", 1),
        "bf16, seed 2": samples(arguments, "bf16", 2),
        "f32, seed 3, churn 0.05 (control)": samples(arguments, "f32", 3, "--churn", "0.05"),
        "f32, seed 4, 8 steps (control)": samples(arguments, "f32", 4, "--steps", "8"),
    }
    for name, images in others.items():
        p = energy_test(features(reference), features(images), arguments.classes)
        distances = [f"{frechet_distance(space(images), space(reference)):.3f}" for space in spaces.values()]
        print(f"| {name} | {p:.4f} | " + " | ".join(distances) + " |", flush=True)


if __name__ == "__main__":
    main()
