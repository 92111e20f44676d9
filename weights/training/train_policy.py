#!/usr/bin/env python3
"""Trains the bundled PushT policy and writes its model folder.

    python train_policy.py pusht_lowdim.npz OUT --minutes 60

The data are the demonstrations of Chi et al. ("Diffusion Policy", 2023): arrays `state` [N, 5], `action` [N, 2] and
`episode_ends` [E]. The state is saved every two minutes and at Ctrl-C: the same command with --resume continues where
it stopped. OUT holds the model folder, `loss.csv` and `checkpoint.pt`.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import ddpm
import policy_folder
import pusht_data
from conditional_unet1d import ConditionalUnet1D, ConditionalUnet1DConfig
from pusht_data import Demonstrations
from trainer import Pace, Trainer, add_run_options, keyed_generator, parse_run, reported

PACE = Pace(batch=256, learning_rate=5e-4, warmup_steps=500, ema_decay=0.9999, ema_power=0.75, final_rate=0,
            betas=(0.95, 0.999), weight_decay=1e-6)


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained."""

    network: ConditionalUnet1DConfig = field(default_factory=lambda: ConditionalUnet1DConfig(
        down_dims=(64, 128, 256), diffusion_step_embed_dim=128))
    epochs: float = 200
    pace: Pace = PACE
    dtype: torch.dtype = torch.bfloat16  # of the saved weights


class PolicyTrainer(Trainer):
    """The run of a policy on demonstrations."""

    def __init__(self, recipe: Recipe, data: Demonstrations, seed: int = 0, minutes: float | None = None,
                 low_precision: bool = False, compiled: bool = False) -> None:
        torch.manual_seed(seed)
        network = ConditionalUnet1D(recipe.network)
        steps = recipe.epochs * len(data) / recipe.pace.batch
        super().__init__(network, recipe.pace, seed, steps, minutes, torch.device("cpu"), low_precision)
        self.recipe, self.data = recipe, data
        self.forward: Callable[..., Tensor] = torch.compile(network) if compiled else network

    def loss(self) -> Tensor:
        rows = self.batch_rows(len(self.data))
        return ddpm.prediction_loss(self.forward, self.data.actions[rows], self.data.conditions[rows],
                                    keyed_generator(self.device, self.seed, 1, self.step))

    def identity(self) -> dict[str, Any]:
        return asdict(replace(self.recipe, epochs=0)) | {"seed": self.seed}

    def save_model(self, folder: Path) -> None:
        policy_folder.save(folder, self.recipe.network, self.average, self.data, self.recipe.dtype)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the bundled PushT policy and write its model folder.")
    parser.add_argument("data", type=Path, help="the demonstrations, pusht_lowdim.npz")
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("--epochs", type=float, default=Recipe().epochs, help="length of the run")
    parser.add_argument("--float32", action="store_true", help="train in F32: for processors without bf16 units")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network (minutes to start)")
    add_run_options(parser)
    return parse_run(parser)


def main() -> None:
    arguments = parse_arguments()
    with reported():
        data = pusht_data.load(arguments.data)
        trainer = PolicyTrainer(replace(Recipe(), epochs=arguments.epochs), data, arguments.seed, arguments.minutes,
                                low_precision=not arguments.float32, compiled=arguments.compile)
        if arguments.resume:
            trainer.resume(arguments.out)
    trainer.run_in(arguments.out, f"policy, {len(data):,} examples")


if __name__ == "__main__":
    main()
