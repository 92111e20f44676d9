"""The 1-D U-Net of diffusion policies (Chi et al., "Diffusion Policy", 2023), with its public implementation's names.

It predicts the noise in a sequence of actions [batch, horizon, dimensions], given the diffusion step and a condition
(the latest observations, flattened). Each level halves the time axis except the lowest, which keeps it; every level of
the way up doubles it, and so the way up has one level fewer than the way down.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

CLASS_NAME = "ConditionalUnet1D"


@dataclass(frozen=True)
class ConditionalUnet1DConfig:
    """What `config.json` holds, besides the name of the class."""

    input_dim: int = 2
    global_cond_dim: int = 10
    horizon: int = 16
    diffusion_step_embed_dim: int = 256
    down_dims: tuple[int, ...] = (256, 512, 1024)
    kernel_size: int = 5
    n_groups: int = 8
    cond_predict_scale: bool = True

    def as_json(self) -> dict[str, Any]:
        return {"_class_name": CLASS_NAME} | asdict(self) | {"down_dims": list(self.down_dims)}

    @staticmethod
    def from_json(content: dict[str, Any]) -> "ConditionalUnet1DConfig":
        """Raises `ValueError` for another class of network and `TypeError` for a key that is not known."""
        content = dict(content)
        if (name := content.pop("_class_name", None)) != CLASS_NAME:
            raise ValueError(f"config.json: _class_name is {name!r}, not {CLASS_NAME!r}")
        return ConditionalUnet1DConfig(**content | {"down_dims": tuple(content["down_dims"])})


class SinusoidalEmbedding(nn.Module):
    """Sines, then cosines, of the step at frequencies from 1 to 1e-4."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.half = dim // 2

    def forward(self, step: Tensor) -> Tensor:
        exponents = torch.arange(self.half, device=step.device) * (-math.log(10_000) / (self.half - 1))
        angles = step.float()[:, None] * exponents.exp()
        return torch.cat((angles.sin(), angles.cos()), dim=1)


def convolved(x: Tensor, layer: nn.Conv1d) -> Tensor:
    """`layer` along the time axis of `x` [batch, time, channels], as one matrix product: on a processor with bf16
    matrix units several times faster, forward and backward, than PyTorch's convolution of such short sequences."""
    size, stride, padding = layer.kernel_size[0], layer.stride[0], layer.padding[0]
    steps = (x.shape[1] + 2 * padding - size) // stride + 1
    if size > 1:
        padded = F.pad(x, (0, 0, padding, padding))
        x = torch.cat([padded[:, tap:tap + stride * (steps - 1) + 1:stride] for tap in range(size)], dim=2)
    return F.linear(x, layer.weight.movedim(2, 1).flatten(1), layer.bias)


def upsampled(x: Tensor, layer: nn.ConvTranspose1d) -> Tensor:
    """`layer`, of kernel 4, stride 2 and padding 1, along the time axis of `x` [batch, time, channels]: output 2t takes
    tap 1 of input t and tap 3 of t - 1, output 2t + 1 takes tap 2 of input t and tap 0 of t + 1."""
    taps = (x @ layer.weight.permute(0, 2, 1).flatten(1)).unflatten(2, (4, -1))
    even = taps[:, :, 1] + F.pad(taps[:, :-1, 3], (0, 0, 1, 0))
    odd = taps[:, :, 2] + F.pad(taps[:, 1:, 0], (0, 0, 0, 1))
    return torch.stack((even, odd), dim=2).flatten(1, 2) + layer.bias


class ConvBlock(nn.Module):
    """A convolution, normalised in groups of channels, and Mish."""

    def __init__(self, channels_in: int, channels_out: int, config: ConditionalUnet1DConfig) -> None:
        super().__init__()
        size = config.kernel_size
        self.block = nn.Sequential(nn.Conv1d(channels_in, channels_out, size, padding=size // 2),
                                   nn.GroupNorm(config.n_groups, channels_out), nn.Mish())

    def forward(self, x: Tensor) -> Tensor:
        layer, norm, activation = self.block
        return activation(norm(convolved(x, layer).movedim(1, 2)).movedim(1, 2).contiguous())


class ResidualBlock(nn.Module):
    """Two `ConvBlock`s; between them the condition adds a bias and, with `cond_predict_scale`, scales (FiLM)."""

    def __init__(self, channels_in: int, channels_out: int, config: ConditionalUnet1DConfig) -> None:
        super().__init__()
        self.predicts_scale = config.cond_predict_scale
        condition = config.diffusion_step_embed_dim + config.global_cond_dim
        self.blocks = nn.ModuleList((ConvBlock(channels_in, channels_out, config),
                                     ConvBlock(channels_out, channels_out, config)))
        self.cond_encoder = nn.Sequential(nn.Mish(),
                                          nn.Linear(condition, channels_out * (2 if self.predicts_scale else 1)))
        self.residual_conv = nn.Identity() if channels_in == channels_out else nn.Conv1d(channels_in, channels_out, 1)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        hidden = self.blocks[0](x)
        film = self.cond_encoder(condition)[:, None]
        if self.predicts_scale:
            scale, bias = film.chunk(2, dim=2)
            hidden = scale * hidden + bias
        else:
            hidden = hidden + film
        shortcut = convolved(x, self.residual_conv) if isinstance(self.residual_conv, nn.Conv1d) else x
        return self.blocks[1](hidden) + shortcut


class Downsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return convolved(x, self.conv)


class Upsample(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.ConvTranspose1d(channels, channels, 4, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return upsampled(x, self.conv)


class ConditionalUnet1D(nn.Module):
    def __init__(self, config: ConditionalUnet1DConfig) -> None:
        super().__init__()
        embedding, first, last = config.diffusion_step_embed_dim, config.down_dims[0], config.down_dims[-1]
        levels = list(zip((config.input_dim, *config.down_dims), config.down_dims, strict=False))
        self.diffusion_step_encoder = nn.Sequential(
            SinusoidalEmbedding(embedding), nn.Linear(embedding, 4 * embedding), nn.Mish(),
            nn.Linear(4 * embedding, embedding),
        )
        self.down_modules = nn.ModuleList(
            nn.ModuleList((ResidualBlock(outer, inner, config), ResidualBlock(inner, inner, config),
                           nn.Identity() if level == len(levels) - 1 else Downsample(inner)))
            for level, (outer, inner) in enumerate(levels)
        )
        self.mid_modules = nn.ModuleList(ResidualBlock(last, last, config) for _ in range(2))
        self.up_modules = nn.ModuleList(
            nn.ModuleList((ResidualBlock(2 * inner, outer, config), ResidualBlock(outer, outer, config),
                           Upsample(outer)))
            for outer, inner in reversed(levels[1:])
        )
        self.final_conv = nn.Sequential(ConvBlock(first, first, config), nn.Conv1d(first, config.input_dim, 1))

    def forward(self, sample: Tensor, timestep: Tensor, global_cond: Tensor) -> Tensor:
        """The noise in `sample` [batch, horizon, input_dim], of its shape; `timestep` [batch] may be fractional."""
        condition = torch.cat((self.diffusion_step_encoder(timestep), global_cond), dim=1)
        x = sample
        skips = []
        for first, second, downsample in self.down_modules:
            x = second(first(x, condition), condition)
            skips.append(x)
            x = downsample(x)
        for block in self.mid_modules:
            x = block(x, condition)
        for first, second, upsample in self.up_modules:
            x = second(first(torch.cat((x, skips.pop()), dim=2), condition), condition)
            x = upsample(x)
        block, last = self.final_conv
        return convolved(block(x), last)
