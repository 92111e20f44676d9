"""The data sets: labelled images, read whole into memory."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

FASHION_MNIST_FOLDER = Path("/usr/share/datasets/fashion-mnist")  # where Debian's dataset-fashion-mnist puts it
CLASS_NAMES = {
    "fashion-mnist": ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
                      "Ankle boot"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
SHEET_ROWS, SHEET_COLUMNS, TILE = 50, 100, 32


@dataclass(frozen=True)
class ImageSet:
    """`images` [count, channels, height, width] uint8 and `labels` [count] int64."""

    images: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ValueError(f"{len(self.images)} images but {len(self.labels)} labels")

    def to(self, device: torch.device) -> "ImageSet":
        return ImageSet(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


def scaled(images: Tensor) -> Tensor:
    """uint8 images as float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def mirrored(images: Tensor, which: Tensor) -> Tensor:
    """Images [count, channels, height, width], those with `which` [count] left to right."""
    return torch.where(which[:, None, None, None], images.flip(3), images)


def load(dataset: str, folder: Path | None, split: str) -> ImageSet:
    """The `train` or `test` split of `fashion-mnist` or `cifar10`. Only Fashion-MNIST has a usual place."""
    if dataset == "fashion-mnist":
        return read_fashion_mnist(folder or FASHION_MNIST_FOLDER, split)
    if folder is None:
        raise FileNotFoundError("CIFAR-10 has no usual place: name its folder with --data")
    return read_cifar10(folder, split)


def read_fashion_mnist(folder: Path, split: str) -> ImageSet:
    """Reads the IDX files of MNIST's makers, gzipped."""
    prefix = {"train": "train", "test": "t10k"}[split]
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", dimensions=3)
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", dimensions=1)
    return ImageSet(images[:, None], labels.long())


def read_idx(path: Path, dimensions: int) -> Tensor:
    """An IDX file of bytes: 0, 0, type 8, number of dimensions, each as a big-endian 32-bit number, then the bytes."""
    content = gzip.decompress(path.read_bytes())
    if content[:4] != bytes([0, 0, 8, dimensions]):
        raise ValueError(f"{path}: not an IDX file of bytes in {dimensions} dimensions")
    start = 4 + 4 * dimensions
    shape = np.frombuffer(content[4:start], dtype=">u4").astype(int)
    return torch.from_numpy(np.frombuffer(content[start:], dtype=np.uint8).reshape(shape).copy())


def read_cifar10(folder: Path, split: str) -> ImageSet:
    """Reads `SPLIT-NN.webp` (sheets of 50 rows × 100 columns of tiles, row by row) and `SPLIT-labels.npy`."""
    from PIL import Image

    paths = sorted(folder.glob(f"{split}-*.webp"))
    if not paths:
        raise FileNotFoundError(f"{folder}: no sheets {split}-*.webp")
    tiles = []
    for path in paths:
        with Image.open(path) as sheet:
            tiles.append(cut(np.asarray(sheet.convert("RGB")), str(path)))
    labels = np.load(folder / f"{split}-labels.npy")
    return ImageSet(torch.from_numpy(np.concatenate(tiles)), torch.from_numpy(labels.astype(np.int64)))


def cut(sheet: np.ndarray, name: str) -> np.ndarray:
    """The tiles [5000, 3, 32, 32] of a sheet [1600, 3200, 3], row by row."""
    expected = (SHEET_ROWS * TILE, SHEET_COLUMNS * TILE, 3)
    if sheet.shape != expected:
        raise ValueError(f"{name}: a sheet is {expected} (height, width, channels), this is {sheet.shape}")
    tiles = sheet.reshape(SHEET_ROWS, TILE, SHEET_COLUMNS, TILE, 3)
    return tiles.transpose(0, 2, 4, 1, 3).reshape(-1, 3, TILE, TILE)
