#!/usr/bin/env python3
"""What the rules of verification cost and how good their pictures are: the shape of the paper's Tables 1 and 8.

    python Benchmarks/fidelity/compare_rules.py SAMPLES CLASSIFIER.safetensors [--data FOLDER]

SAMPLES is what `make_rules.py` made, CLASSIFIER from `weights/training/train_classifier.py --dataset fashion-mnist
--width 8 --epochs 3`. Prints a table in Markdown. Needs PyTorch, numpy, safetensors.
"""

import argparse
import json
from pathlib import Path

import torch
from distances import POOLING, SPACES, balanced, classifier, data_set, distance, features, image_data
from make_rules import AUTOENCODER, PART, PLAIN, WINDOWS, Cell, cells, part_path
from safetensors.torch import load_file
from torch import Tensor

FEWEST_JUDGED = 500  # a Fréchet distance of fewer pictures says little


def parts(folder: Path, cell: Cell) -> list[Path]:
    """The finished ones, from the first on."""
    paths = []
    while (path := part_path(folder, cell, len(paths))).exists():
        paths.append(path)
    return paths


def mean_and_error(values: Tensor) -> str:
    return f"{values.mean():.1f} ± {values.std() / len(values) ** 0.5:.1f}"


def row(cell: Cell, paths: list[Path], judged: int, network: classifier.Classifier,
        reference: dict[str, Tensor]) -> str:
    reports = [json.loads(path.with_suffix(".json").read_text()) for path in paths]
    samples = [sample for report in reports for sample in report["per_sample"]]
    calls, rows = (torch.tensor([float(sample[key]) for sample in samples]) for key in ("nfe", "evaluations"))
    windows = sum(report["windows"]["mean"] for report in reports) / len(reports)  # all parts have as many samples
    is_plain = cell.rule == PLAIN
    acceptance = "" if is_plain else f"{100 * sum(report['acceptance'] for report in reports) / len(reports):.0f} %"
    exact = "yes" if all(report["exact"] for report in reports) else "no"
    columns = [str(cell.steps), str(cell.churn), cell.rule, "" if is_plain else str(cell.parallel), exact,
               mean_and_error(calls), "" if is_plain else f"{windows:.1f}", f"{rows.mean():.0f}", acceptance,
               str(len(samples))]
    if cell.is_judged and PART * len(paths) >= judged:
        images = torch.cat([load_file(path)["samples"] for path in paths])[:judged]
        found = features(network, images)
        columns += [str(distance(found[space], reference[space])) for space in SPACES]
    else:
        columns += ["", ""]
    return f"| {' | '.join(columns)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("samples", type=Path, metavar="SAMPLES")
    parser.add_argument("classifier", type=Path, metavar="CLASSIFIER")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="Fashion-MNIST's IDX files")
    arguments = parser.parse_args()
    made = {cell: paths for cell in cells() if (paths := parts(arguments.samples, cell))}
    if not made:
        raise SystemExit(f"error: {arguments.samples}: no cell has samples yet")
    network = classifier.load(arguments.classifier)
    train, test = data_set(arguments.data)
    reference = features(network, image_data.scaled(test.images))
    # Distances of sets of different sizes cannot be compared: all are of as many pictures as the smallest set has.
    judged = max(FEWEST_JUDGED, min(PART * len(paths) for cell, paths in made.items() if cell.is_judged))
    lengths = ", ".join(f"{window} at K = {steps}" for steps, window in WINDOWS.items())
    print(f"Windows L: {lengths}; draft recycled, with p parallel calls picard:p; no fallback. Calls, windows and rows are "
          f"a sample's, ± standard error. Fréchet distances of {judged} samples to the {len(test):,} test images, in a "
          f"small classifier's {network.feature_count} pooled features and in the pictures averaged over "
          f"{POOLING}×{POOLING} pixels, ± standard error (bootstrap).\n")
    print("| K | churn | rule | p | exact | calls | windows | rows | acceptance | samples | classifier | pixels |")
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    order = sorted(made, key=lambda cell: (cell.steps, cell.churn, cell.rule != PLAIN, cell.parallel,
                                           cell.rule == AUTOENCODER, cell.rule.split(":")[0] != "temperature"))
    for cell in order:
        print(row(cell, made[cell], judged, network, reference), flush=True)
    data = features(network, image_data.scaled(balanced(train, judged)))
    floor = [str(distance(data[space], reference[space])) for space in SPACES]
    print(f"|  |  | {judged} training images |  |  |  |  |  |  |  | {' | '.join(floor)} |")


if __name__ == "__main__":
    main()
