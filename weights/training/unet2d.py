"""diffusers' `UNet2DModel` in plain PyTorch, as far as the bundled models use it.

Parameter names and shapes, and the output, equal diffusers' (the tests compare the two), so that a trained model is a
diffusers model folder while training needs PyTorch alone. One variant only: SiLU, time embedding added to the
activations, convolutions for resampling, a middle block with attention, an embedding for class labels.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

DIFFUSERS_VERSION = "0.42.1"  # whose config.json `UNetConfig.as_diffusers` writes
NORM_EPSILON = 1e-5


@dataclass(frozen=True)
class UNetConfig:
    """The shape of a network. `attention_levels` are those, from the finest (0), with attention in their blocks."""

    image_size: int
    image_channels: int
    channels: tuple[int, ...]
    layers: int
    attention_levels: tuple[int, ...]
    head_dim: int
    norm_groups: int
    class_embeddings: int
    extra_channels: int = 0  # that the network sees beside the image's

    @property
    def in_channels(self) -> int:
        return self.image_channels + self.extra_channels

    def as_diffusers(self) -> dict[str, Any]:
        """The configuration as diffusers' `save_pretrained` writes it."""
        attention = [level in self.attention_levels for level in range(len(self.channels))]
        return {
            "_class_name": "UNet2DModel",
            "_diffusers_version": DIFFUSERS_VERSION,
            "act_fn": "silu",
            "add_attention": True,
            "attention_head_dim": self.head_dim,
            "attn_norm_num_groups": None,
            "block_out_channels": list(self.channels),
            "center_input_sample": False,
            "class_embed_type": None,
            "down_block_types": ["AttnDownBlock2D" if here else "DownBlock2D" for here in attention],
            "downsample_padding": 1,
            "downsample_type": "conv",
            "dropout": 0.0,
            "flip_sin_to_cos": True,
            "freq_shift": 0,
            "in_channels": self.in_channels,
            "layers_per_block": self.layers,
            "mid_block_scale_factor": 1,
            "mid_block_type": "UNetMidBlock2D",
            "norm_eps": NORM_EPSILON,
            "norm_num_groups": self.norm_groups,
            "num_class_embeds": self.class_embeddings,
            "num_train_timesteps": None,
            "out_channels": self.image_channels,
            "resnet_time_scale_shift": "default",
            "sample_size": self.image_size,
            "time_embedding_dim": None,
            "time_embedding_type": "positional",
            "up_block_types": ["AttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attention)],
            "upsample_type": "conv",
        }

    @classmethod
    def from_diffusers(cls, config: dict[str, Any]) -> "UNetConfig":
        """Reads what `as_diffusers` wrote; any other variant of the architecture is an error."""
        blocks = enumerate(config["down_block_types"])
        read = cls(
            image_size=config["sample_size"],
            image_channels=config["out_channels"],
            channels=tuple(config["block_out_channels"]),
            layers=config["layers_per_block"],
            attention_levels=tuple(level for level, block in blocks if block == "AttnDownBlock2D"),
            head_dim=config["attention_head_dim"],
            norm_groups=config["norm_num_groups"],
            class_embeddings=config["num_class_embeds"],
            extra_channels=config["in_channels"] - config["out_channels"],
        )
        for key, value in read.as_diffusers().items():
            if key != "_diffusers_version" and config.get(key) != value:
                raise ValueError(f"config.json: {key} is {config.get(key)!r}; this network has {value!r}")
        return read


def zeroed(layer: nn.Module) -> nn.Module:
    """The layer with all its parameters zero: a residual branch that starts as nothing."""
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    return layer


class TimeEmbedding(nn.Module):
    """Sinusoids of the time, cosines first, through two linear layers."""

    def __init__(self, sinusoids: int, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(sinusoids, width)
        self.linear_2 = nn.Linear(width, width)
        frequencies = torch.exp(-math.log(10_000) * torch.arange(sinusoids // 2) / (sinusoids // 2))
        self.register_buffer("frequencies", frequencies, persistent=False)

    def forward(self, time: Tensor) -> Tensor:
        angles = time[:, None] * self.frequencies
        return self.linear_2(F.silu(self.linear_1(torch.cat([angles.cos(), angles.sin()], dim=1))))


class ResnetBlock(nn.Module):
    """Two normalised 3×3 convolutions around the addition of the time embedding, and a shortcut."""

    def __init__(self, in_channels: int, out_channels: int, embedding: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(groups, in_channels, eps=NORM_EPSILON)
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.time_emb_proj = nn.Linear(embedding, out_channels)
        self.norm2 = nn.GroupNorm(groups, out_channels, eps=NORM_EPSILON)
        self.conv2 = zeroed(nn.Conv2d(out_channels, out_channels, 3, padding=1))
        self.conv_shortcut = nn.Conv2d(in_channels, out_channels, 1) if in_channels != out_channels else None

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        hidden = self.conv1(F.silu(self.norm1(x)))
        hidden = hidden + self.time_emb_proj(F.silu(embedding))[:, :, None, None]
        hidden = self.conv2(F.silu(self.norm2(hidden)))
        return (x if self.conv_shortcut is None else self.conv_shortcut(x)) + hidden


class Attention(nn.Module):
    """Self-attention of all pixels, with a residual connection."""

    def __init__(self, channels: int, head_dim: int, groups: int) -> None:
        super().__init__()
        if channels % head_dim:
            raise ValueError(f"{channels} channels are no multiple of the head's {head_dim}")
        self.heads = channels // head_dim
        self.group_norm = nn.GroupNorm(groups, channels, eps=NORM_EPSILON)
        self.to_q = nn.Linear(channels, channels)
        self.to_k = nn.Linear(channels, channels)
        self.to_v = nn.Linear(channels, channels)
        self.to_out = nn.ModuleList([zeroed(nn.Linear(channels, channels))])

    def forward(self, x: Tensor) -> Tensor:
        tokens = self.group_norm(x).flatten(2).transpose(1, 2)
        q, k, v = (project(tokens).unflatten(2, (self.heads, -1)).transpose(1, 2)
                   for project in (self.to_q, self.to_k, self.to_v))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return x + self.to_out[0](mixed).transpose(1, 2).unflatten(2, x.shape[2:])


class Downsample(nn.Module):
    """Halves the resolution by a strided convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, stride=2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class Upsample(nn.Module):
    """Doubles the resolution by repeating pixels, then convolves."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class Level(nn.Module):
    """Resnet blocks of one resolution, each followed by attention where the level has it."""

    def __init__(self, widths: list[tuple[int, int]], attention: bool, embedding: int, config: UNetConfig) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(ResnetBlock(i, o, embedding, config.norm_groups) for i, o in widths)
        if attention:
            self.attentions = nn.ModuleList(Attention(o, config.head_dim, config.norm_groups) for _, o in widths)
        else:
            self.attentions = [nn.Identity() for _ in widths]


class DownBlock(Level):
    """A level on the way down. Keeps the output of each of its layers for the way up."""

    def __init__(self, widths: list[tuple[int, int]], attention: bool, embedding: int, config: UNetConfig,
                 last: bool) -> None:
        super().__init__(widths, attention, embedding, config)
        self.downsamplers = None if last else nn.ModuleList([Downsample(widths[-1][1])])

    def forward(self, x: Tensor, embedding: Tensor, kept: list[Tensor]) -> Tensor:
        for resnet, attention in zip(self.resnets, self.attentions, strict=True):
            x = attention(resnet(x, embedding))
            kept.append(x)
        if self.downsamplers is not None:
            x = self.downsamplers[0](x)
            kept.append(x)
        return x


class UpBlock(Level):
    """A level on the way up. Each layer takes the latest kept output beside its input."""

    def __init__(self, widths: list[tuple[int, int]], attention: bool, embedding: int, config: UNetConfig,
                 last: bool) -> None:
        super().__init__(widths, attention, embedding, config)
        self.upsamplers = None if last else nn.ModuleList([Upsample(widths[-1][1])])

    def forward(self, x: Tensor, embedding: Tensor, kept: list[Tensor]) -> Tensor:
        for resnet, attention in zip(self.resnets, self.attentions, strict=True):
            x = attention(resnet(torch.cat([x, kept.pop()], dim=1), embedding))
        return x if self.upsamplers is None else self.upsamplers[0](x)


class MidBlock(Level):
    """Two resnet blocks with attention between them, at the coarsest level."""

    def __init__(self, channels: int, embedding: int, config: UNetConfig) -> None:
        super().__init__([(channels, channels)] * 2, False, embedding, config)
        self.attentions = nn.ModuleList([Attention(channels, config.head_dim, config.norm_groups)])

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](x, embedding)), embedding)


class UNet2D(nn.Module):
    """The network: images [batch, in_channels, height, width], times [batch], labels [batch] to images."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        first, embedding = config.channels[0], 4 * config.channels[0]
        self.conv_in = nn.Conv2d(config.in_channels, first, 3, padding=1)
        self.time_embedding = TimeEmbedding(first, embedding)
        self.class_embedding = nn.Embedding(config.class_embeddings, embedding)
        nn.init.normal_(self.class_embedding.weight, std=embedding**-0.5)
        self.down_blocks = nn.ModuleList()
        kept, width = [first], first
        for level, channels in enumerate(config.channels):
            last = level == len(config.channels) - 1
            widths = [(width if layer == 0 else channels, channels) for layer in range(config.layers)]
            self.down_blocks.append(DownBlock(widths, level in config.attention_levels, embedding, config, last))
            kept += [channels] * (config.layers + (not last))
            width = channels
        self.mid_block = MidBlock(width, embedding, config)
        self.up_blocks = nn.ModuleList()
        for level, channels in reversed(list(enumerate(config.channels))):
            widths = []
            for _ in range(config.layers + 1):
                widths.append((width + kept.pop(), channels))
                width = channels
            self.up_blocks.append(UpBlock(widths, level in config.attention_levels, embedding, config, level == 0))
        self.conv_norm_out = nn.GroupNorm(config.norm_groups, first, eps=NORM_EPSILON)
        self.conv_out = zeroed(nn.Conv2d(first, config.image_channels, 3, padding=1))

    def forward(self, x: Tensor, time: Tensor, labels: Tensor) -> Tensor:
        embedding = self.time_embedding(time) + self.class_embedding(labels)
        x = self.conv_in(x)
        kept = [x]
        for block in self.down_blocks:
            x = block(x, embedding, kept)
        x = self.mid_block(x, embedding)
        for block in self.up_blocks:
            x = block(x, embedding, kept)
        return self.conv_out(F.silu(self.conv_norm_out(x)))
