"""A small residual classifier of images; its pooled features measure Fréchet distances.

`load` also reads the public ResNet-20 for CIFAR-10, as a second opinion.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from resnet20 import ResNet20

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
    """Images [batch, channels, height, width] in [-1, 1], of 8 pixels or more a side, to logits [batch, classes]."""

    def __init__(self, channels: int = 3, width: int = 32, classes: int = 10) -> None:
        super().__init__()
        self.channels, self.feature_count = channels, 8 * width
        self.start = ConvBlock(channels, width)
        self.level1 = ConvBlock(width, 2 * width)
        self.pair1 = ResidualPair(2 * width)
        self.level2 = ConvBlock(2 * width, 4 * width)
        self.level3 = ConvBlock(4 * width, 8 * width)
        self.pair3 = ResidualPair(8 * width)
        self.head = nn.Linear(8 * width, classes, bias=False)

    def features(self, images: Tensor) -> Tensor:
        """The pooled activations [batch, feature_count] before the last layer."""
        x = self.pair1(F.max_pool2d(self.level1(self.start(images)), 2))
        x = F.max_pool2d(self.level2(x), 2)
        x = self.pair3(F.max_pool2d(self.level3(x), 2))
        return x.mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return LOGIT_SCALE * self.head(self.features(images))


def save(path: Path, classifier: Classifier) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.cpu().contiguous() for name, tensor in classifier.state_dict().items()}, path)


def load(path: Path) -> Classifier | ResNet20:
    """The classifier of a file that `save` wrote or that holds a public ResNet-20."""
    weights = load_file(path)
    if "start.conv.weight" in weights:
        width, channels = weights["start.conv.weight"].shape[:2]
        classifier = Classifier(channels, width, len(weights["head.weight"]))
    elif "layer1.0.conv1.weight" in weights:
        classifier = ResNet20()
    else:
        raise ValueError(f"{path}: neither has start.conv.weight, as train_classifier.py writes it, nor "
                         "layer1.0.conv1.weight, as a ResNet-20 has it")
    classifier.load_state_dict(weights)
    return classifier.eval()


@torch.no_grad()
def in_batches(function: nn.Module, images: Tensor, batch: int = 500) -> Tensor:
    """The function's values for all images, a batch at a time."""
    return torch.cat([function(rows) for rows in images.split(batch)])
