#!/usr/bin/env python3
"""Trains a network for a Gaussian mixture (DB25, App. I.2) and writes its model folder.

    diffspec mixture --dimension 2 --export mixture.json
    python train_velocity_mlp.py target mixture.json OUT
    python train_velocity_mlp.py draft mixture.json OUT-DRAFT

The network learns the velocity of the cosine interpolant from fresh draws of the mixture, with the component as the
label. The state is saved every two minutes and at Ctrl-C: the same command with --resume continues where it stopped.
OUT holds the model folder (the mixture with it), `loss.csv` and `checkpoint.pt`.
"""

import argparse
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Generator, Tensor

import model_folder
import process
from model_folder import CASE_TIMES, read_json, write_json
from trainer import Pace, Trainer, add_run_options, keyed_generator, parse_run, reported
from velocity_mlp import VelocityMLP, VelocityMLPConfig, draft_config, target_config

ROWS_A_TIME = 8  # rows of a batch that share a time: two thirds of the work is the time's own layer
STEPS = {"target": 4000, "draft": 3000}
PACE = Pace(batch=512, learning_rate=2e-3, warmup_steps=200, ema_decay=0.999)
CONFIGS = {"target": target_config, "draft": draft_config}


@dataclass(frozen=True)
class Mixture:
    """Isotropic Gaussians: `means` [components, dimension], `deviations` [components], `weights` that sum to 1.

    `content` is the JSON that describes it, with the seed it was drawn from.
    """

    means: Tensor
    deviations: Tensor
    weights: Tensor
    content: dict[str, Any]

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Mixture":
        """Reads what `diffspec mixture --export` wrote."""
        weights, means, deviations = (
            torch.tensor([component[key] for component in content["components"]], dtype=torch.float32)
            for key in ("weight", "mean", "standard_deviation"))
        return cls(means, deviations, weights / weights.sum(), content)

    @classmethod
    def read(cls, path: Path) -> "Mixture":
        """The mixture of a file."""
        try:
            return cls.from_json(read_json(path))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path}: expected `components`, each with its `weight`, `mean` and `standard_deviation`, "
                             f"as `diffspec mixture --export` writes them, but found {error!r}") from error

    def draw(self, count: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """States [count, dimension] and the components that they come from [count]."""
        labels = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = torch.randn(count, self.means.shape[1], generator=generator)
        return self.means[labels] + self.deviations[labels, None] * noise, labels

    def velocity(self, x: Tensor, time: Tensor, labels: Tensor) -> Tensor:
        """The exact velocity at `x` [count, dimension] of a draw from the component `labels`."""
        alpha, sigma = factors(time)
        means, deviations = self.means[labels], self.deviations[labels, None]
        gain = alpha * deviations**2 / (alpha**2 * deviations**2 + sigma**2)
        denoised = means + gain * (x - alpha * means)
        return velocity_of(denoised, (x - alpha * denoised) / sigma, alpha, sigma)


def factors(time: Tensor) -> tuple[Tensor, Tensor]:
    """`α` and `σ` [batch, 1] of the cosine interpolant."""
    alpha, sigma = process.interpolant(time)
    return alpha.reshape(-1, 1), sigma.reshape(-1, 1)


def velocity_of(data: Tensor, noise: Tensor, alpha: Tensor, sigma: Tensor) -> Tensor:
    """`∂α X_0 + ∂σ X_1` of the cosine interpolant."""
    return math.pi / 2 * (alpha * noise - sigma * data)


class VelocityTrainer(Trainer):
    """The run of a network on a mixture."""

    def __init__(self, config: VelocityMLPConfig, mixture: Mixture, steps: float, seed: int = 0,
                 minutes: float | None = None, pace: Pace = PACE) -> None:
        torch.manual_seed(seed)
        super().__init__(VelocityMLP(config), pace, seed, steps, minutes, torch.device("cpu"), low_precision=False)
        self.config, self.mixture = config, mixture

    def identity(self) -> dict[str, Any]:
        return asdict(self.config) | asdict(self.pace) | {"seed": self.seed, "means": self.mixture.means.tolist()}

    def batch(self, generator: Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """States, times (of `ROWS_A_TIME` each), labels and the velocities to learn."""
        data, labels = self.mixture.draw(self.pace.batch, generator)
        time = process.stratified_times(len(data) // ROWS_A_TIME, generator)
        noise = torch.randn(data.shape, generator=generator)
        alpha, sigma = factors(time.repeat_interleave(ROWS_A_TIME))
        return alpha * data + sigma * noise, time, labels, velocity_of(data, noise, alpha, sigma)

    def loss(self) -> Tensor:
        x, time, labels, velocity = self.batch(keyed_generator(self.device, self.seed, self.step))
        return (self.network(x, process.TIME_SCALE * time, labels) - velocity).square().mean()

    def save_model(self, folder: Path) -> None:
        save(folder, self.config, self.average, self.mixture.content)


@torch.no_grad()
def relative_error(network: VelocityMLP, mixture: Mixture, count: int = 4000) -> float:
    """The mean square of the network's error in the velocity over that of the velocity itself, at uniform times."""
    generator = torch.Generator().manual_seed(1)
    data, labels = mixture.draw(count, generator)
    time = process.stratified_times(count, generator)
    alpha, sigma = factors(time)
    x = alpha * data + sigma * torch.randn(data.shape, generator=generator)
    exact = mixture.velocity(x, time, labels)
    return ((network(x, process.TIME_SCALE * time, labels) - exact).square().mean() / exact.square().mean()).item()


def save(folder: Path, config: VelocityMLPConfig, weights: dict[str, Tensor], mixture: dict[str, Any],
         dtype: torch.dtype = torch.bfloat16) -> None:
    """Writes the whole folder; the golden case is computed in F32 from the weights as stored."""
    model_folder.write_network(folder, config.as_json(), weights, dtype)
    write_json(folder / "process.json", {
        "schedule": "cosine", "prediction": "velocity", "time_scale": process.TIME_SCALE,
    })
    write_json(folder / "mixture.json", mixture)
    sample = 2 * torch.randn(len(CASE_TIMES), config.dimension, generator=model_folder.case_generator())
    save_file(model_folder.labelled_case(load(folder), sample, config.num_class_embeds), folder / "case.safetensors")


def load(folder: Path) -> VelocityMLP:
    """The network of a folder, in F32."""
    network = VelocityMLP(VelocityMLPConfig.from_json(read_json(folder / "config.json")))
    return model_folder.with_weights(network, folder)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a network for a Gaussian mixture.")
    parser.add_argument("kind", choices=CONFIGS)
    parser.add_argument("mixture", type=Path, help="JSON of `diffspec mixture --export`")
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("--steps", type=int, help=f"length of the run ({STEPS})")
    add_run_options(parser, threads=1)
    return parse_run(parser)


def main() -> None:
    arguments = parse_arguments()
    with reported():
        mixture = Mixture.read(arguments.mixture)
        config = CONFIGS[arguments.kind](mixture.means.shape[1], len(mixture.means))
        trainer = VelocityTrainer(config, mixture, arguments.steps or STEPS[arguments.kind], arguments.seed,
                                  arguments.minutes)
        if arguments.resume:
            trainer.resume(arguments.out)
    trainer.run_in(arguments.out, f"{arguments.kind} of {mixture.means.shape[1]} dimensions")
    error = relative_error(load(arguments.out), mixture)
    print(f"saved weights, {trainer.step:,} steps: mean square error of the velocity {error:.2%} of its own")


if __name__ == "__main__":
    main()
