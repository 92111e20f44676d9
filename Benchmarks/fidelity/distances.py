"""Fréchet distances of sets of Fashion-MNIST pictures in two fixed feature spaces: a small classifier's pooled features
and the pictures averaged over 4×4 pixels."""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

sys.path.insert(0, str(Path(__file__).parents[2] / "weights" / "training"))
import classifier
import image_data
from frechet import frechet_distance
from image_data import ImageSet

POOLING = 4  # pixels a side
REPLICATES = 200
CLASSES = 10  # row i of a set is of class i mod 10
SPACES = ("classifier", "pixels")


@dataclass(frozen=True)
class Distance:
    """A Fréchet distance with its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ± {self.error:.3f}"


def features(network: classifier.Classifier, images: Tensor) -> dict[str, Tensor]:
    """By space, [count, width] each."""
    images = images.clamp(-1, 1)
    return {
        "classifier": classifier.in_batches(network.features, images).double(),
        "pixels": F.avg_pool2d(images, POOLING).flatten(1).double(),
    }


def balanced(images: ImageSet, count: int) -> Tensor:
    """The first images of each class, in the samples' order of classes."""
    each = [torch.nonzero(images.labels == label).flatten()[:count // CLASSES] for label in range(CLASSES)]
    return images.images[torch.stack(each, dim=1).flatten()]


def distance(rows: Tensor, reference: Tensor) -> Distance:
    """To the reference; the standard error by the bootstrap over the rows of each class."""
    generator = Generator().manual_seed(0)
    classes = torch.arange(len(rows)) % CLASSES
    replicates = []
    for _ in range(REPLICATES):
        drawn = torch.randint(len(rows) // CLASSES, (len(rows),), generator=generator)
        replicates.append(frechet_distance(rows[CLASSES * drawn + classes], reference))
    return Distance(frechet_distance(rows, reference), torch.tensor(replicates).std().item())


def data_set(folder: Path | None) -> tuple[ImageSet, ImageSet]:
    """The training and the test images; an error that says where to get them."""
    try:
        return image_data.load("fashion-mnist", folder, "train"), image_data.load("fashion-mnist", folder, "test")
    except OSError as error:
        raise SystemExit(f"error: {error}; apt-get install dataset-fashion-mnist, or give --data") from error
