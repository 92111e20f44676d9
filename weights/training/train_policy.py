#!/usr/bin/env python3
"""Trains the bundled PushT policy and writes its model folder.

    python train_policy.py pusht_lowdim.npz OUT --minutes 60

The data are the demonstrations of Chi et al. ("Diffusion Policy", 2023): arrays `state` [N, 5], `action` [N, 2] and
`episode_ends` [E]. The state is saved every two minutes and at Ctrl-C: the same command with --resume goes on where it
stopped. OUT then holds the model folder, `loss.csv` and `checkpoint.pt`.
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
from trainer import Pace, Trainer, keyed_generator, parse_with_resume

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

    def __init__(self, recipe: Recipe, data: Demonstrations, seed: int, minutes: float | None, compiled: bool = False,
                 low_precision: bool = False) -> None:
        torch.manual_seed(seed)
        network = ConditionalUnet1D(recipe.network)
        super().__init__(network, recipe.pace, seed, recipe.epochs * len(data) / recipe.pace.batch, minutes,
                         torch.device("cpu"))
        self.recipe, self.data, self.low_precision = recipe, data, low_precision
        self.forward: Callable[..., Tensor] = torch.compile(network) if compiled else network

    def batch_rows(self) -> Tensor:
        """This step's examples: each at most once an epoch, in an order of its own."""
        size = self.pace.batch
        epoch, place = divmod(self.step, len(self.data) // size)
        order = torch.randperm(len(self.data), generator=keyed_generator(self.device, self.seed, 0, epoch))
        return order[place * size:(place + 1) * size]

    def loss(self) -> Tensor:
        rows = self.batch_rows()
        return ddpm.prediction_loss(self.forward, self.data.actions[rows], self.data.conditions[rows],
                                    keyed_generator(self.device, self.seed, 1, self.step))

    def identity(self) -> dict[str, Any]:
        return asdict(replace(self.recipe, epochs=0)) | {"seed": self.seed}

    def save_model(self, folder: Path) -> None:
        """Writes the model folder, with the moving average as its weights."""
        policy_folder.save(folder, self.recipe.network, self.average, self.data, self.recipe.dtype)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the bundled PushT policy and write its model folder.")
    parser.add_argument("data", type=Path, help="the demonstrations, pusht_lowdim.npz")
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("--epochs", type=float, default=Recipe().epochs, help="length of the run")
    parser.add_argument("--minutes", type=float, help="end the run, learning rate and all, after this time at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, help="processor threads (default: PyTorch's)")
    parser.add_argument("--float32", action="store_true", help="train in F32: for processors without bf16 units")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network (minutes to start)")
    return parse_with_resume(parser)


def main() -> None:
    arguments = parse_arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        data = pusht_data.load(arguments.data)
        trainer = PolicyTrainer(replace(Recipe(), epochs=arguments.epochs), data, arguments.seed, arguments.minutes,
                                arguments.compile, not arguments.float32)
        if arguments.resume:
            trainer.resume(arguments.out / "checkpoint.pt")
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
    parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
    print(f"{parameters:,} parameters, {len(data):,} examples", flush=True)
    trainer.run_in(arguments.out)
    trainer.save_model(arguments.out)


if __name__ == "__main__":
    main()
