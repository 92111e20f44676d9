"""The networks of DB25, App. I.2, for low-dimensional data: a velocity from a state, a time and a label.

The time's sinusoidal embedding goes through one layer and stands beside the label's embedding: the conditioning. It and
the state each go through layers of their own, then both together through more, and a last linear one. GELU between
all layers, no normalisation. The target has layers of 64, 64, 128 and 128, 64, 64; the draft one of 4 and one of 4.
"""

import math
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class VelocityMLPConfig:
    """The shape of a network."""

    dimension: int
    num_class_embeds: int
    embedding_dim: int
    preprocessing: tuple[int, ...]
    postprocessing: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {"_class_name": "VelocityMLP", "act_fn": "gelu"} | asdict(self)

    @classmethod
    def from_json(cls, config: dict[str, Any]) -> "VelocityMLPConfig":
        """Reads what `as_json` wrote."""
        fields = {key: config[key] for key in ("dimension", "num_class_embeds", "embedding_dim")}
        layers = {key: tuple(config[key]) for key in ("preprocessing", "postprocessing")}
        return cls(**fields, **layers)


def target_config(dimension: int, labels: int) -> VelocityMLPConfig:
    return VelocityMLPConfig(dimension, labels, 512, (64, 64, 128), (128, 64, 64))


def draft_config(dimension: int, labels: int) -> VelocityMLPConfig:
    return VelocityMLPConfig(dimension, labels, 512, (4,), (4,))


def layers(widths: tuple[int, ...]) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(narrow, wide) for narrow, wide in pairwise(widths))


class VelocityMLP(nn.Module):
    """States [batch, dimension], time inputs and labels [batch] to velocities [batch, dimension].

    There may be fewer times than rows: each is then that of as many rows, one after the other.
    """

    def __init__(self, config: VelocityMLPConfig) -> None:
        super().__init__()
        self.config = config
        width, inner = config.embedding_dim, config.preprocessing
        frequencies = torch.exp(-math.log(10_000) * torch.arange(width // 2) / (width // 2))
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.time_layers = layers((width, width))
        self.class_embedding = nn.Embedding(config.num_class_embeds, width)
        self.state_layers = layers((config.dimension, *inner))
        self.condition_layers = layers((2 * width, *inner))
        self.joint_layers = layers((2 * inner[-1], *config.postprocessing))
        self.output = nn.Linear(config.postprocessing[-1], config.dimension)

    def forward(self, x: Tensor, time: Tensor, labels: Tensor) -> Tensor:
        def through(stack: nn.ModuleList, rows: Tensor) -> Tensor:
            for layer in stack:
                rows = F.gelu(layer(rows))
            return rows

        angles = time[:, None] * self.frequencies
        times = through(self.time_layers, torch.cat([angles.cos(), angles.sin()], dim=1))
        times = times.repeat_interleave(len(x) // len(time), dim=0)
        condition = through(self.condition_layers, torch.cat([times, self.class_embedding(labels)], dim=1))
        return self.output(through(self.joint_layers, torch.cat([through(self.state_layers, x), condition], dim=1)))
