#!/usr/bin/env python3
"""Trains the bundled PushT policy and writes its model folder.

    python train_policy.py pusht_lowdim.npz OUT --minutes 60

The data are the demonstrations of Chi et al. ("Diffusion Policy", 2023): arrays `state` [N, 5], `action` [N, 2] and
`episode_ends` [E]. Everything random is keyed by the seed and the step, and the state is saved every two minutes and at
Ctrl-C: the same command with --resume goes on where it stopped. OUT then holds the model folder, `loss.csv` and
`checkpoint.pt`.
"""

import argparse
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import torch
from torch import Tensor, nn

import ddpm
import policy_folder
import pusht_data
from conditional_unet1d import ConditionalUnet1D, ConditionalUnet1DConfig
from pusht_data import Demonstrations
from train_image_model import CHECKPOINT_SECONDS, LOG_EVERY, keyed_generator, write_csv


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained."""

    network: ConditionalUnet1DConfig = field(default_factory=lambda: ConditionalUnet1DConfig(
        down_dims=(64, 128, 256), diffusion_step_embed_dim=128))
    epochs: float = 200
    batch: int = 256
    learning_rate: float = 5e-4
    warmup_steps: int = 500
    weight_decay: float = 1e-6
    ema_power: float = 0.75
    dtype: torch.dtype = torch.bfloat16  # of the saved weights


class PolicyTrainer:
    """The state of a run: network, moving average, optimiser, steps done, seconds spent, the loss so far."""

    def __init__(self, recipe: Recipe, data: Demonstrations, seed: int, minutes: float | None, compiled: bool,
                 low_precision: bool) -> None:
        self.recipe, self.data, self.seed, self.minutes = recipe, data, seed, minutes
        self.low_precision = low_precision
        torch.manual_seed(seed)
        self.network = ConditionalUnet1D(recipe.network)
        self.forward: Callable[..., Tensor] = torch.compile(self.network) if compiled else self.network
        self.average = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=recipe.learning_rate, betas=(0.95, 0.999),
                                           weight_decay=recipe.weight_decay, fused=True)
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []

    @property
    def progress(self) -> float:
        """The part of the run that is done: of its epochs or its minutes, whichever is further."""
        done = self.step * self.recipe.batch / (self.recipe.epochs * len(self.data))
        return max(done, 0 if self.minutes is None else self.seconds / (60 * self.minutes))

    def learning_rate(self) -> float:
        """Linear warm-up, then a cosine over the whole run to zero."""
        cosine = (1 + math.cos(math.pi * min(self.progress, 1))) / 2
        return self.recipe.learning_rate * cosine * min(1, (self.step + 1) / self.recipe.warmup_steps)

    def batch_rows(self) -> Tensor:
        """This step's examples: each once an epoch, in an order of its own."""
        epoch, place = divmod(self.step, len(self.data) // self.recipe.batch)
        order = torch.randperm(len(self.data), generator=keyed_generator(torch.device("cpu"), self.seed, 0, epoch))
        return order[place * self.recipe.batch:(place + 1) * self.recipe.batch]

    def train_step(self) -> Tensor:
        """One step of the optimiser and the moving average. Returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        rows = self.batch_rows()
        generator = keyed_generator(torch.device("cpu"), self.seed, 1, self.step)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.low_precision):
            loss = ddpm.prediction_loss(self.forward, self.data.actions[rows], self.data.conditions[rows], generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        current = self.network.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [current[name] for name in self.average],
                             self.step ** -self.recipe.ema_power)
        return loss.detach()

    def run(self, checkpoint: Path, log: Callable[[dict[str, float]], None], stopped: Event) -> None:
        """Trains to the end of the run or until `stopped`, saving the state on the way and at the end."""
        losses: list[Tensor] = []
        resumed_at, started = self.seconds, time.monotonic()
        saved = started
        while self.progress < 1 and not stopped.is_set():
            losses.append(self.train_step())
            self.seconds = resumed_at + time.monotonic() - started
            if self.step % LOG_EVERY == 0 or self.progress >= 1:
                self.history.append({
                    "step": self.step,
                    "examples": self.step * self.recipe.batch,
                    "seconds": round(self.seconds, 1),
                    "loss": round(torch.stack(losses).mean().item(), 5),
                    "learning_rate": float(f"{self.optimizer.param_groups[0]['lr']:.3g}"),
                })
                losses.clear()
                log(self.history[-1])
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.save(checkpoint)
                    saved = time.monotonic()
        self.save(checkpoint)

    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to be resumed. How long it is to last may change."""
        return asdict(replace(self.recipe, epochs=0)) | {"seed": self.seed}

    def save(self, path: Path) -> None:
        """Writes the state; the old file stays whole until the new one is."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        torch.save({
            "identity": self.identity(), "network": self.network.state_dict(), "average": self.average,
            "optimizer": self.optimizer.state_dict(), "step": self.step, "seconds": self.seconds,
            "history": self.history,
        }, unfinished)
        os.replace(unfinished, path)

    def resume(self, path: Path) -> None:
        """Takes the state from a file that `save` wrote."""
        state = torch.load(path, weights_only=True)
        there, here = state["identity"], self.identity()
        if other := [f"{key} {there.get(key)}, now {here[key]}" for key in here if there.get(key) != here[key]]:
            raise ValueError(f"{path}: written by a run with other settings: {'; '.join(other)}")
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]

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
    parser.add_argument("--compile", action="store_true", help="torch.compile the network (some minutes' start-up)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    arguments = parser.parse_args()
    if (arguments.out / "checkpoint.pt").exists() != arguments.resume:
        there = "has no" if arguments.resume else "has a"
        parser.error(f"{arguments.out} {there} checkpoint.pt: --resume is for going on from one")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    checkpoint = arguments.out / "checkpoint.pt"
    try:
        data = pusht_data.load(arguments.data)
        trainer = PolicyTrainer(replace(Recipe(), epochs=arguments.epochs), data, arguments.seed, arguments.minutes,
                                arguments.compile, not arguments.float32)
        if arguments.resume:
            trainer.resume(checkpoint)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
    parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
    print(f"{parameters:,} parameters, {len(data):,} examples", flush=True)

    def log(row: dict[str, float]) -> None:
        write_csv(arguments.out / "loss.csv", trainer.history)
        done = f"{min(trainer.progress, 1):6.1%}  step {row['step']:7,}  {row['seconds']:7.1f} s"
        print(f"{done}  loss {row['loss']:.4f}", flush=True)

    arguments.out.mkdir(parents=True, exist_ok=True)
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    trainer.run(checkpoint, log, stopped)
    if trainer.progress < 1:
        raise SystemExit(f"stopped at step {trainer.step}; --resume goes on")
    trainer.save_model(arguments.out)


if __name__ == "__main__":
    main()
