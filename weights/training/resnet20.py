"""ResNet-20 for CIFAR-10 (He et al., "Deep Residual Learning", 2016, section 4.2) under the names of public weights.

Three groups of three residual blocks with 16, 32 and 64 channels, at 32×32, 16×16 and 8×8. Where a group begins with
fewer channels than it has, the shortcut takes every other pixel and fills up with zero channels (the paper's option A).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Of the pixels in [0, 1], per channel, as the public weights were trained: ImageNet's.
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class Block(nn.Module):
    """Two normalised 3×3 convolutions around which the input is added."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.stride, self.missing = stride, out_channels - in_channels

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        before = self.missing // 2
        shortcut = F.pad(x[:, :, ::self.stride, ::self.stride], (0, 0, 0, 0, before, self.missing - before))
        return F.relu(hidden + shortcut)


class ResNet20(nn.Module):
    """Images [batch, 3, 32, 32] in [-1, 1] to logits [batch, 10]."""

    channels, feature_count = 3, 64

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(Block(16, 16, 1), Block(16, 16, 1), Block(16, 16, 1))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def features(self, images: Tensor) -> Tensor:
        """The pooled activations [batch, 64] before the last layer."""
        mean, deviation = (torch.tensor(values, device=images.device)[:, None, None] for values in (MEAN, DEVIATION))
        x = F.relu(self.bn1(self.conv1(((images + 1) / 2 - mean) / deviation)))
        return self.layer3(self.layer2(self.layer1(x))).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        return self.linear(self.features(images))
