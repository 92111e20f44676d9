"""Model folders as diffusers writes them, with `process.json` and a golden case beside the weights."""

import json
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn

from unet2d import UNet2D, UNetConfig

WEIGHTS = "diffusion_pytorch_model.safetensors"
Network = TypeVar("Network", bound=nn.Module)
CASE_TIMES = (2.0, 100.0, 333.25, 700.0, 994.0)


def save(folder: Path, config: UNetConfig, weights: dict[str, Tensor], process: dict[str, Any],
         dtype: torch.dtype) -> None:
    """Writes the whole folder; the golden case is computed in F32 from the weights as stored."""
    write_network(folder, config.as_diffusers(), weights, dtype)
    write_json(folder / "process.json", process)
    size = (config.in_channels, config.image_size, config.image_size)
    case = labelled_case(load(folder), torch.randn(len(CASE_TIMES), *size, generator=case_generator()),
                         config.class_embeddings)
    save_file(case, folder / "case.safetensors")


def load(folder: Path) -> UNet2D:
    """The network of a folder, in F32 on the CPU."""
    return with_weights(UNet2D(UNetConfig.from_diffusers(read_json(folder / "config.json"))), folder)


def write_network(folder: Path, config: dict[str, Any], weights: dict[str, Tensor], dtype: torch.dtype) -> None:
    """Makes the folder and writes the network's configuration and its weights, in the given type."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = {name: tensor.to("cpu", dtype).contiguous() for name, tensor in weights.items()}
    save_file(stored, folder / WEIGHTS, metadata={"format": "pt"})
    write_json(folder / "config.json", config)


def with_weights(network: Network, folder: Path) -> Network:
    """The network with the weights of a folder, ready to be evaluated."""
    network.load_state_dict(load_file(folder / WEIGHTS))
    return network.eval()


def case_generator() -> Generator:
    """The randomness of every golden case."""
    return Generator().manual_seed(0)


@torch.no_grad()
def labelled_case(network: nn.Module, sample: Tensor, classes: int) -> dict[str, Tensor]:
    """A golden case: the rows `sample` at the times `CASE_TIMES`, their labels from the first to the last class."""
    case = {
        "sample": sample,
        "timestep": torch.tensor(CASE_TIMES),
        "class_labels": torch.linspace(0, classes - 1, len(CASE_TIMES)).long(),
    }
    return case | {"output": network(case["sample"], case["timestep"], case["class_labels"])}


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text())


def write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
