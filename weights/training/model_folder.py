"""Model folders as diffusers writes them, with `process.json` and a golden case beside the weights."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from unet2d import UNet2D, UNetConfig

WEIGHTS = "diffusion_pytorch_model.safetensors"
CASE_TIMES = (2.0, 100.0, 333.25, 700.0, 994.0)


def save(folder: Path, config: UNetConfig, weights: dict[str, Tensor], process: dict[str, Any],
         dtype: torch.dtype) -> None:
    """Writes the whole folder; the golden case is computed in F32 from the weights as stored."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {name: tensor.to("cpu", dtype).contiguous() for name, tensor in weights.items()}
    save_file(stored, folder / WEIGHTS, metadata={"format": "pt"})
    write_json(folder / "config.json", config.as_diffusers())
    write_json(folder / "process.json", process)
    save_file(golden_case(load(folder), config), folder / "case.safetensors")


def load(folder: Path) -> UNet2D:
    """The network of a folder, in F32 on the CPU."""
    network = UNet2D(UNetConfig.from_diffusers(read_json(folder / "config.json")))
    network.load_state_dict(load_file(folder / WEIGHTS))
    return network.eval()


@torch.no_grad()
def golden_case(network: UNet2D, config: UNetConfig) -> dict[str, Tensor]:
    """Five rows of input and output, the last with the null class."""
    generator = torch.Generator().manual_seed(0)
    size = (config.in_channels, config.image_size, config.image_size)
    case = {
        "sample": torch.randn(len(CASE_TIMES), *size, generator=generator),
        "timestep": torch.tensor(CASE_TIMES),
        "class_labels": torch.linspace(0, config.class_embeddings - 1, len(CASE_TIMES)).long(),
    }
    return case | {"output": network(case["sample"], case["timestep"], case["class_labels"])}


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
