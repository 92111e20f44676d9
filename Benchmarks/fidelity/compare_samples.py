#!/usr/bin/env python3
"""Does speculative sampling sample the same images, and would fewer steps have done as well?

    python Benchmarks/fidelity/compare_samples.py SAMPLES CLASSIFIER.safetensors OUT [--data FOLDER]

SAMPLES is what `make_samples.py` made, CLASSIFIER from `weights/training/train_classifier.py --dataset fashion-mnist
--width 8 --epochs 3`. Fréchet distances in two fixed feature spaces, the classifier's pooled features and the images
averaged over 4×4 pixels, go into OUT/fidelity.md, of which fidelity-figure draws
fidelity.png. Needs PyTorch, numpy, safetensors.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from distances import (POOLING, REPLICATES, SPACES, Distance, balanced, classifier, data_set, distance, features,
                       frechet_distance, image_data)
from make_samples import FEW_STEPS, STEPS, WAYS, Way
from safetensors.torch import load_file
from torch import Generator, Tensor

NAMES = {
    "plain": f"plain, {STEPS} steps",
    "plain-again": f"plain, {STEPS} steps, other noise",
    "speculative": f"speculative, {STEPS} steps",
    "few-uniform": f"plain, {FEW_STEPS} steps",
    "few-edm": f"plain, {FEW_STEPS} steps, EDM grid",
    "few-deterministic-uniform": f"deterministic, {FEW_STEPS} steps",
    "few-deterministic-edm": f"deterministic, {FEW_STEPS} steps, EDM grid",
    "double-deterministic-uniform": f"deterministic, {2 * FEW_STEPS} steps",
    "double-deterministic-edm": f"deterministic, {2 * FEW_STEPS} steps, EDM grid",
}


@dataclass(frozen=True)
class Sampled:
    """One way's features by space [count, width], and its mean NFE."""

    features: dict[str, Tensor]
    nfe: float


def load(folder: Path, way: Way, parts: int, network: classifier.Classifier) -> Sampled:
    paths = [folder / f"{way.name}-{part:04}.safetensors" for part in range(parts)]
    images = torch.cat([load_file(path)["samples"] for path in paths])
    calls = [json.loads(path.with_suffix(".json").read_text())["nfe"]["mean"] for path in paths]
    return Sampled(features(network, images), sum(calls) / len(calls))


def permutation_p(first: Tensor, second: Tensor) -> float:
    """How often a random exchange of rows of one class leaves the sets as far apart as they are."""
    generator = Generator().manual_seed(0)
    found = frechet_distance(first, second)
    farther = 0
    for _ in range(REPLICATES):
        exchanged = torch.rand(len(first), 1, generator=generator) < 0.5
        swapped = torch.where(exchanged, second, first), torch.where(exchanged, first, second)
        farther += frechet_distance(*swapped) >= found
    return (1 + farther) / (1 + REPLICATES)


def same_law_table(sampled: dict[str, Sampled]) -> list[str]:
    lines = [f"| pair | {' | '.join(f'{space}, p' for space in SPACES)} |", "|---|---|---|"]
    pairs = [("plain", "plain-again"), ("plain", "speculative"), ("plain-again", "speculative"),
             ("plain", "few-uniform"), ("plain", "few-deterministic-uniform")]
    for names in pairs:
        cells = []
        for space in SPACES:
            first, second = (sampled[name].features[space] for name in names)
            cells.append(f"{frechet_distance(first, second):.3f}, {permutation_p(first, second):.3f}")
        lines.append(f"| {NAMES[names[0]]} – {NAMES[names[1]]} | {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, metavar="SAMPLES")
    parser.add_argument("classifier", type=Path, metavar="CLASSIFIER")
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="Fashion-MNIST's IDX files")
    arguments = parser.parse_args()
    network = classifier.load(arguments.classifier)
    parts = min(len(list(arguments.samples.glob(f"{way.name}-[0-9][0-9][0-9][0-9].safetensors"))) for way in WAYS)
    if parts == 0:
        raise SystemExit(f"error: {arguments.samples}: not every way has samples yet")
    sampled = {way.name: load(arguments.samples, way, parts, network) for way in WAYS}
    count = len(sampled["plain"].features["pixels"])
    train, test = data_set(arguments.data)
    reference = features(network, image_data.scaled(test.images))
    data = features(network, image_data.scaled(balanced(train, count)))

    distances = {space: {name: distance(way.features[space], reference[space]) for name, way in sampled.items()}
                 for space in SPACES}
    floors = {space: distance(data[space], reference[space]) for space in SPACES}
    lines = [
        "# Images, plain and speculative",
        "",
        "    python3 Benchmarks/fidelity/make_samples.py .build/release/diffspec SAMPLES",
        "    python weights/training/train_classifier.py CLASSIFIER --dataset fashion-mnist --width 8 --epochs 3",
        "    python Benchmarks/fidelity/compare_samples.py SAMPLES CLASSIFIER Benchmarks/results/fidelity",
        "    Benchmarks/.build/release/fidelity-figure Benchmarks/results/fidelity/fidelity.{md,png}",
        "",
        f"The bundled model, {count} samples of each way, a tenth of each class. Fréchet distances in a small "
        f"classifier's {network.feature_count} pooled features and in the images averaged over {POOLING}×{POOLING} "
        "pixels. Distances of finite sets are above zero even for one law: compare rows with each other, not with "
        "published numbers.",
        "",
        "## The same law?",
        "",
        f"Distances between two sets of {count}, and how often a random exchange of their rows, class by class, is as "
        f"far apart ({REPLICATES} of them).",
        "",
        *same_law_table(sampled),
        "",
        "## Why not simply fewer steps?",
        "",
        f"Distances to the {len(test):,} test images ± standard error (bootstrap over the samples); churn 0.25 where "
        "not deterministic, uniform grid where not EDM's.",
        "",
        "| way | NFE | classifier | pixels |",
        "|---|---|---|---|",
        *(f"| {NAMES[name]} | {sampled[name].nfe:.1f} | {distances['classifier'][name]} | {distances['pixels'][name]} |"
          for name in NAMES),
        f"| {count} training images | | {floors['classifier']} | {floors['pixels']} |",
        "",
        "![distance against NFE](fidelity.png)",
        "",
    ]
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "fidelity.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
