#!/usr/bin/env python3
"""The Fréchet distance of two sets of images in a classifier's features.

    python frechet.py CLASSIFIER.safetensors A B [--dataset NAME] [--data FOLDER] [--count N]

A and B are safetensors files with a tensor `samples` [N, C, H, W] in [-1, 1] (`diffspec sample --tensors`), folders of PNG
files (`--samples`, which decodes latents), or one of the words `train` and `test`: the data set's own images. The distance of two finite sets of one law is above
zero and falls with their size, so compare only distances between sets of the same sizes; `train test` is the yardstick.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor

import classifier
import image_data

REPLICATES = 100


def statistics(features: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance, in double precision."""
    features = features.double()
    return features.mean(dim=0), features.T.cov()


def square_root(matrix: Tensor) -> Tensor:
    """The root of a symmetric positive semidefinite matrix."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """`|m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁^½ C₂ C₁^½)^½)` of two sets of features [count, width]."""
    (mean1, covariance1), (mean2, covariance2) = statistics(first), statistics(second)
    root = square_root(covariance1)
    cross = torch.linalg.eigvalsh(root @ covariance2 @ root).clamp(min=0).sqrt().sum()
    return ((mean1 - mean2).square().sum() + covariance1.trace() + covariance2.trace() - 2 * cross).item()


def standard_error(first: Tensor, second: Tensor, seed: int = 0) -> float:
    """Of their distance, if `first` were drawn again: the spread over bootstrap replicates of it. The distance of a replicate is
    itself too large, which its spread is not."""
    generator = torch.Generator().manual_seed(seed)
    distances = []
    for _ in range(REPLICATES):
        rows = torch.randint(len(first), (len(first),), generator=generator).to(first.device)
        distances.append(frechet_distance(first[rows], second))
    return torch.tensor(distances).std().item()


def read(source: str, channels: int, dataset: str, data: Path | None) -> Tensor:
    """Images [count, channels, height, width] in [-1, 1] from a file of samples or from the data set."""
    if source in ("train", "test"):
        return image_data.scaled(image_data.load(dataset, data, source).images)
    images = read_folder(Path(source)) if Path(source).is_dir() else load_file(source)["samples"].float()
    if images.ndim != 4 or images.shape[1] != channels:
        raise ValueError(f"{source}: samples are {list(images.shape)}, expected [count, {channels}, height, width]")
    if not images.isfinite().all():
        raise ValueError(f"{source}: samples are not finite")
    return images.clamp(-1, 1)


def read_folder(folder: Path) -> Tensor:
    """The pictures of a folder, in the order of their names."""
    from PIL import Image

    pictures = []
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as picture:
            pixels = torch.from_numpy(np.array(picture))
            pictures.append(pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1))
    if not pictures:
        raise ValueError(f"{folder}: no PNG files")
    return image_data.scaled(torch.stack(pictures))


def main() -> None:
    parser = argparse.ArgumentParser(description="Fréchet distance of two sets of images.")
    parser.add_argument("classifier", type=Path, help="weights from train_classifier.py, or of a public ResNet-20")
    parser.add_argument("sets", nargs=2, metavar="SET", help="a safetensors file of samples, a folder of PNG files, or: train, test")
    parser.add_argument("--dataset", choices=image_data.CLASS_NAMES, default="cifar10", help="for train and test")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the data set's folder, for train and test")
    parser.add_argument("--count", type=int, help="take this many images of each set, the first ones")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    try:
        network = classifier.load(arguments.classifier).to(arguments.device)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    features = []
    for source in arguments.sets:
        try:
            images = read(source, network.channels, arguments.dataset, arguments.data)[:arguments.count]
        except (OSError, ValueError) as error:
            parser.error(str(error))
        if len(images) < max(network.feature_count + 1, arguments.count or 0):
            parser.error(f"{source} holds only {len(images)} images")
        features.append(classifier.in_batches(network.features, images.to(arguments.device)))
    sizes = " and ".join(f"{len(rows):,}" for rows in features)
    print(f"{frechet_distance(*features):.4f} ± {standard_error(*features):.4f} (Fréchet distance of {sizes} images)")


if __name__ == "__main__":
    main()
