"""A small residual classifier of 32×32 colour images; its pooled features measure Fréchet distances."""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

FEATURES = 256
LOGIT_SCALE = 0.125


class ConvBlock(nn.Module):
    """3×3 convolution, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class ResidualPair(nn.Module):
    """Two blocks around which the input is added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvBlock(channels, channels)
        self.second = ConvBlock(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.second(self.first(x))


class Classifier(nn.Module):
    """Images [batch, 3, 32, 32] in [-1, 1] to logits [batch, classes]."""

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.start = ConvBlock(3, 32)
        self.level1 = ConvBlock(32, 64)
        self.pair1 = ResidualPair(64)
        self.level2 = ConvBlock(64, 128)
        self.level3 = ConvBlock(128, FEATURES)
        self.pair3 = ResidualPair(FEATURES)
        self.head = nn.Linear(FEATURES, classes, bias=False)

    def features(self, images: Tensor) -> Tensor:
        """The pooled activations [batch, FEATURES] before the last layer."""
        x = self.pair1(F.max_pool2d(self.level1(self.start(images)), 2))
        x = F.max_pool2d(self.level2(x), 2)
        x = self.pair3(F.max_pool2d(self.level3(x), 2))
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return LOGIT_SCALE * self.head(self.features(images))


def save(path: Path, classifier: Classifier) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.cpu().contiguous() for name, tensor in classifier.state_dict().items()}, path)


def load(path: Path) -> Classifier:
    classifier = Classifier()
    classifier.load_state_dict(load_file(path))
    return classifier.eval()


@torch.no_grad()
def in_batches(function: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """The function's values for all images, a batch at a time."""
    return torch.cat([function(rows) for rows in images.split(batch)])
