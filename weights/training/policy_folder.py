"""Policies' model folders: the network under its public names, and what its data were scaled and noised with."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import ddpm
import model_folder
from conditional_unet1d import ConditionalUnet1D, ConditionalUnet1DConfig
from model_folder import read_json, write_json
from pusht_data import Demonstrations, Range

STATISTICS = "statistics.safetensors"
CASE_TIMES = (0.0, 1.0, 7.0, 50.0, 99.0)


def save(folder: Path, config: ConditionalUnet1DConfig, weights: dict[str, Tensor], data: Demonstrations,
         dtype: torch.dtype) -> None:
    """Writes the whole folder; the golden case is computed in F32 from the weights as stored."""
    model_folder.write_network(folder, config.as_json(), weights, dtype)
    write_json(folder / "scheduler_config.json", ddpm.description())
    save_file({
        "observation_minimum": data.observation_range.minimum, "observation_maximum": data.observation_range.maximum,
        "action_minimum": data.action_range.minimum, "action_maximum": data.action_range.maximum,
    }, folder / STATISTICS)
    save_file(golden_case(load(folder), config), folder / "case.safetensors")


def load(folder: Path) -> ConditionalUnet1D:
    """The network of a folder, in F32."""
    return model_folder.with_weights(
        ConditionalUnet1D(ConditionalUnet1DConfig.from_json(read_json(folder / "config.json"))), folder)


def load_ranges(folder: Path) -> tuple[Range, Range]:
    """The ranges of the observations and of the actions."""
    tensors = load_file(folder / STATISTICS)
    return (Range(tensors["observation_minimum"], tensors["observation_maximum"]),
            Range(tensors["action_minimum"], tensors["action_maximum"]))


@torch.no_grad()
def golden_case(network: ConditionalUnet1D, config: ConditionalUnet1DConfig) -> dict[str, Tensor]:
    """Five rows of input and output."""
    generator = torch.Generator().manual_seed(0)
    rows = len(CASE_TIMES)
    case = {
        "sample": torch.randn(rows, config.horizon, config.input_dim, generator=generator),
        "timestep": torch.tensor(CASE_TIMES),
        "global_cond": torch.rand(rows, config.global_cond_dim, generator=generator) * 2 - 1,
    }
    return case | {"output": network(case["sample"], case["timestep"], case["global_cond"]).contiguous()}
