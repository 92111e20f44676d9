#!/usr/bin/env python3
"""Makes golden cases for U-Net implementations: small random diffusers models, an input and diffusers' output.

    python make_reference_cases.py OUT                 # every case
    python make_reference_cases.py OUT --only NAME ... # some of them

Each case is a folder `OUT/NAME` with

- `config.json` and `diffusion_pytorch_model.safetensors`, a model folder as `save_pretrained` writes it (some cases
  then rename or re-type what older or smaller published checkpoints name or type differently), and
- `case.safetensors`: `sample` [5, C, H, W], `timestep` [5] F32, `class_labels` if the model takes any, and `output`
  [5, C', H, W], computed by diffusers in F32 from the very files in the folder.

Every parameter is random, biases and normalisation weights too, so that no term of the network can be left out
unnoticed. Needs `requirements-dev.txt`.
"""

import argparse
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DModel
from diffusers.utils import logging
from safetensors.torch import load_file, save_file

ROWS = 5
WEIGHTS = "diffusion_pytorch_model.safetensors"
PLAIN = {
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "sample_size": 8,
}
DDPM_BLOCKS = {
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "UpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
}
# google/ddpm-cifar10-32: written by diffusers 0.0.4, so keys that came later are absent.
DDPM_CIFAR10 = {
    "act_fn": "silu",
    "attention_head_dim": None,
    "block_out_channels": (128, 256, 256, 256),
    "center_input_sample": False,
    "downsample_padding": 0,
    "flip_sin_to_cos": False,
    "freq_shift": 1,
    "in_channels": 3,
    "layers_per_block": 2,
    "mid_block_scale_factor": 1,
    "norm_eps": 1e-6,
    "norm_num_groups": 32,
    "out_channels": 3,
    "sample_size": 32,
    "time_embedding_type": "positional",
    **DDPM_BLOCKS,
}
OLD_ATTENTION_NAMES = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


@dataclass(frozen=True)
class Case:
    """One model and its input. `config` overrides `PLAIN` (or, with `bare`, is all that config.json holds)."""

    what: str
    config: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (8, 8)
    classes: str | None = None  # how labels look: "index", "time" or "embedding"
    dtype: torch.dtype = torch.float32
    old_attention_names: bool = False
    bare: bool = False


def levels(count: int, attention: int | None = None, resnet: bool = False) -> dict[str, Any]:
    """`count` levels of plain or (`resnet`) resnet-resampling blocks, with attention at level `attention`."""
    down, up = ("ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D") if resnet else ("DownBlock2D", "UpBlock2D")
    downs = ["AttnDownBlock2D" if i == attention else down for i in range(count)]
    ups = ["AttnUpBlock2D" if i == attention else up for i in reversed(range(count))]
    channels = (8, 16, 24, 32, 32)[:count]
    return {"down_block_types": tuple(downs), "up_block_types": tuple(ups), "block_out_channels": channels}


CASES: dict[str, Case] = {
    # image sizes
    "wide": Case("12x20 input, sample_size a pair", {"sample_size": (12, 20)}, (12, 20)),
    "tall": Case("three levels, 24x4 input: 6x1 at the lowest", {**levels(3, 2), "sample_size": None}, (24, 4)),
    "odd-lowest": Case("20x28 input: 5x7 at the lowest of three levels", levels(3, 2), (20, 28)),
    "odd-one-level": Case("one level, odd 7x5 input", levels(1), (7, 5)),
    "odd-one-level-attention": Case("one level with attention, odd 5x9 input", levels(1, 0), (5, 9)),
    "one-pixel-lowest": Case("1x1 at the lowest of four levels, with attention there", levels(4, 3), (8, 8)),
    "one-pixel": Case("one level, 1x1 input", levels(1, 0), (1, 1)),
    "five-levels": Case("five levels, 16x16 input, 1x1 at the lowest", levels(5, 1), (16, 16)),
    # resampling
    "padding-0": Case("downsample_padding 0", {**levels(3, 1), "downsample_padding": 0}, (12, 8)),
    "padding-1": Case("downsample_padding 1", {**levels(3, 1), "downsample_padding": 1}, (12, 8)),
    "resnet-resample-default": Case(
        "downsample_type and upsample_type resnet with default time_scale_shift",
        {**levels(3, 0), "down_block_types": ("AttnDownBlock2D",) * 3, "up_block_types": ("AttnUpBlock2D",) * 3,
         "downsample_type": "resnet", "upsample_type": "resnet"},
    ),
    "resnet-resample-ignored": Case(
        "downsample_type resnet where plain DownBlock2D ignores it, conv upsampling",
        {**levels(3, 1), "downsample_type": "resnet"},
    ),
    "resnet-blocks": Case("ResnetDownsampleBlock2D, ResnetUpsampleBlock2D", levels(2, resnet=True)),
    "resnet-blocks-scale-shift": Case(
        "the same with scale_shift, three levels, two layers",
        {**levels(3, resnet=True), "resnet_time_scale_shift": "scale_shift", "layers_per_block": 2},
    ),
    "resnet-blocks-down-only": Case(
        "ResnetDownsampleBlock2D down, UpBlock2D up",
        {**levels(2), "down_block_types": ("ResnetDownsampleBlock2D",) * 2},
    ),
    "resample-type-null": Case(
        "downsample_type, upsample_type null: AttnDownBlock2D falls back to conv",
        {**levels(2, 0), "downsample_type": None, "upsample_type": None},
    ),
    "old-block-names": Case(
        "block types with the old UNetRes prefix",
        {"down_block_types": ("UNetResDownBlock2D", "UNetResAttnDownBlock2D"),
         "up_block_types": ("UNetResAttnUpBlock2D", "UNetResUpBlock2D")},
    ),
    # activations
    "mish": Case("act_fn mish", {"act_fn": "mish"}),
    "gelu": Case("act_fn gelu", {"act_fn": "gelu"}),
    "relu": Case("act_fn relu", {"act_fn": "relu"}),
    "swish": Case("act_fn swish", {"act_fn": "swish"}),
    "act-upper-case": Case("act_fn SiLU: diffusers lowers the case", {"act_fn": "SiLU"}),
    # attention
    "head-dim-null": Case("attention_head_dim null: one head", {"attention_head_dim": None}),
    "head-dim-4": Case("attention_head_dim 4: two and four heads", {**levels(2, 0), "attention_head_dim": 4}),
    "head-dim-uneven": Case(
        "attention_head_dim 8 with 20 channels: two heads, inner width 16 not 20",
        {"block_out_channels": (8, 20), "attention_head_dim": 8},
    ),
    "attn-norm-groups": Case("attn_norm_num_groups 2: the middle block's attention only", {"attn_norm_num_groups": 2}),
    "attn-norm-groups-scale-shift": Case(
        "attn_norm_num_groups 8 with scale_shift: the middle block's attention has a norm",
        {"attn_norm_num_groups": 8, "resnet_time_scale_shift": "scale_shift"},
    ),
    "scale-shift-no-attn-norm": Case(
        "scale_shift without attn_norm_num_groups: the middle block's attention has no norm",
        {"resnet_time_scale_shift": "scale_shift"},
    ),
    # middle block
    "mid-scale-sqrt2": Case("mid_block_scale_factor sqrt(2)", {"mid_block_scale_factor": math.sqrt(2)}),
    "mid-no-attention": Case("add_attention false, attention at a level", {"add_attention": False}),
    "mid-null": Case("mid_block_type null: no middle block", {"mid_block_type": None}),
    # input and time
    "center-input": Case("center_input_sample", {"center_input_sample": True}),
    "time-dim": Case("time_embedding_dim 20", {"time_embedding_dim": 20}),
    "time-shift-0-sin-cos": Case("freq_shift 0, flip false", {"freq_shift": 0, "flip_sin_to_cos": False}),
    "time-shift-0-cos-sin": Case("freq_shift 0, flip true", {"freq_shift": 0, "flip_sin_to_cos": True}),
    "time-shift-1-sin-cos": Case("freq_shift 1, flip false", {"freq_shift": 1, "flip_sin_to_cos": False}),
    "time-shift-1-cos-sin": Case("freq_shift 1, flip true", {"freq_shift": 1, "flip_sin_to_cos": True}),
    "time-odd-channels": Case(
        "9 channels at the first level: the sinusoids are padded with a zero",
        {"block_out_channels": (9, 18), "norm_num_groups": 3, "attention_head_dim": 6},
    ),
    # classes
    "class-index": Case("num_class_embeds 7", {"num_class_embeds": 7}, classes="index"),
    "class-timestep": Case("class_embed_type timestep", {"class_embed_type": "timestep"}, classes="time"),
    "class-identity": Case("class_embed_type identity", {"class_embed_type": "identity"}, classes="embedding"),
    # the rest of the configuration
    "groups-1": Case("norm_num_groups 1", {"norm_num_groups": 1}),
    "groups-8": Case("norm_num_groups 8: one channel a group at the first level", {"norm_num_groups": 8}),
    "norm-eps": Case("norm_eps 0.1", {"norm_eps": 0.1}),
    "layers-1": Case("layers_per_block 1, three levels", levels(3, 1)),
    "layers-3": Case("layers_per_block 3, three levels", {**levels(3, 1), "layers_per_block": 3}),
    "dropout": Case("dropout 0.5, which inference ignores", {"dropout": 0.5}),
    "channels-1-to-2": Case("one channel in, two out", {"in_channels": 1, "out_channels": 2}),
    "narrowing": Case("channels that shrink with depth", {**levels(3, 1), "block_out_channels": (32, 16, 8)}),
    "defaults": Case(
        "config.json with the fewest keys: all else by diffusers' defaults",
        {"block_out_channels": (32, 64, 64, 64), "layers_per_block": 1}, (16, 16), bare=True,
    ),
    # files
    "f16": Case("F16 weights", dtype=torch.float16),
    "bf16": Case("BF16 weights", dtype=torch.bfloat16),
    "f64": Case("F64 weights", dtype=torch.float64),
    "old-attention-names": Case("query, key, value, proj_attn", {"attention_head_dim": None}, old_attention_names=True),
    "ddpm-cifar10-full": Case(
        "google/ddpm-cifar10-32: its configuration and its old attention names (35.7 M random parameters)",
        DDPM_CIFAR10, (32, 32), old_attention_names=True, bare=True,
    ),
}


@torch.no_grad()
def randomise(model: UNet2DModel, generator: torch.Generator) -> None:
    """Gives every parameter a random value of a size that keeps activations near one."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if parameter.ndim == 1:
            parameter.copy_(0.3 * noise + (1.0 if "norm" in name and name.endswith("weight") else 0.0))
        elif name == "class_embedding.weight":
            parameter.copy_(noise)
        else:
            gain = 2.0 if ".to_q." in name or ".to_k." in name else 1.0  # far from uniform attention
            parameter.copy_(gain * noise / math.sqrt(parameter[0].numel()))


def labels(case: Case, model: UNet2DModel, generator: torch.Generator) -> torch.Tensor | None:
    """Class labels in the form the case's model takes."""
    match case.classes:
        case None:
            return None
        case "index":
            return torch.randint(model.config.num_class_embeds, (ROWS,), generator=generator)
        case "time":
            return torch.rand(ROWS, generator=generator) * 50
        case "embedding":
            return torch.randn(ROWS, model.config.block_out_channels[0] * 4, generator=generator)
        case other:
            raise ValueError(f"unknown kind of labels {other}")


def write_model(folder: Path, case: Case, generator: torch.Generator) -> UNet2DModel:
    """Writes the case's model folder and returns the model as diffusers reads it back, in F32."""
    config = case.config if case.bare else PLAIN | case.config
    model = UNet2DModel(**config)
    randomise(model, generator)
    model.to(case.dtype).save_pretrained(folder)
    if case.old_attention_names:
        rename_attentions(folder / WEIGHTS)
    if case.bare:
        header = {"_class_name": "UNet2DModel", "_diffusers_version": "0.0.4"}
        (folder / "config.json").write_text(json.dumps(header | config, indent=2, sort_keys=True) + "\n")
    read = UNet2DModel.from_pretrained(folder, torch_dtype=case.dtype)
    written = model.state_dict()
    if not all(torch.equal(tensor, written[name]) for name, tensor in read.state_dict().items()):
        raise RuntimeError(f"{folder.name}: diffusers does not read back what was written")
    return read.float().eval()


def rename_attentions(path: Path) -> None:
    """Gives attention parameters the names that diffusers used before 0.15."""
    renamed = {}
    for name, tensor in load_file(path).items():
        for new, old in OLD_ATTENTION_NAMES.items():
            name = name.replace(f".{new}.", f".{old}.")
        renamed[name] = tensor
    save_file(renamed, path, metadata={"format": "pt"})


@torch.no_grad()
def write_case(folder: Path, case: Case, seed: int) -> tuple[int, float]:
    """Writes one case. Returns the number of parameters and the standard deviation of the output."""
    generator = torch.Generator().manual_seed(seed)
    model = write_model(folder, case, generator)
    tensors = {
        "sample": torch.randn(ROWS, model.config.in_channels, *case.size, generator=generator),
        "timestep": torch.tensor([0.0, 1.0, 123.4, 500.25, 999.5]),
    }
    class_labels = labels(case, model, generator)
    if class_labels is not None:
        tensors["class_labels"] = class_labels
    tensors["output"] = model(tensors["sample"], tensors["timestep"], class_labels=class_labels).sample
    if not tensors["output"].isfinite().all():
        raise RuntimeError(f"{folder.name}: the output is not finite")
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, folder / "case.safetensors")
    return sum(parameter.numel() for parameter in model.parameters()), tensors["output"].std().item()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make golden cases of diffusers' UNet2DModel with random weights.")
    parser.add_argument("out", type=Path, help="folder to write the cases to")
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="NAME", help="write only these cases")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    for seed, (name, case) in enumerate(CASES.items()):
        if arguments.only and name not in arguments.only:
            continue
        parameters, deviation = write_case(arguments.out / name, case, seed)
        print(f"{name:32} {parameters:9,} parameters, output sd {deviation:.3f}: {case.what}", flush=True)


if __name__ == "__main__":
    main()
