"""A training run that may be cut into pieces: network, moving average, optimiser, steps, seconds, the loss so far."""

import argparse
import csv
import math
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

LOG_EVERY = 50  # steps
CHECKPOINT_SECONDS = 120


def keyed_generator(device: torch.device, *key: int) -> Generator:
    """A generator that depends on the key alone."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    return Generator(device).manual_seed(seed)


@dataclass(frozen=True)
class Pace:
    """The optimiser's settings: linear warm-up, then a cosine over the whole run to `final_rate` of the rate."""

    batch: int
    learning_rate: float
    warmup_steps: int
    ema_decay: float
    ema_power: float | None = None
    final_rate: float = 0.02
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0

    def rate(self, step: int, progress: float) -> float:
        """The learning rate; `progress` in [0, 1]."""
        cosine = self.final_rate + (1 - self.final_rate) * (1 + math.cos(math.pi * min(progress, 1))) / 2
        return self.learning_rate * cosine * min(1, (step + 1) / self.warmup_steps)

    def decay(self, step: int) -> float:
        """The moving average's, after `step` ≥ 1 steps: `1 - step^-ema_power`, or a warm-up, to `ema_decay` at most."""
        rising = (1 + step) / (10 + step) if self.ema_power is None else 1 - step ** -self.ema_power
        return min(self.ema_decay, rising)


class Trainer(ABC):
    """The state of a run. Everything random in it is keyed by the seed and the step."""

    def __init__(self, network: nn.Module, pace: Pace, seed: int, steps: float, minutes: float | None,
                 device: torch.device) -> None:
        self.network, self.pace, self.seed, self.steps, self.minutes = network, pace, seed, steps, minutes
        self.device = device
        self.average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=pace.learning_rate, betas=pace.betas,
                                           weight_decay=pace.weight_decay, fused=device.type == "cuda")
        self.low_precision = device.type == "cuda"
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []

    @abstractmethod
    def loss(self) -> Tensor:
        """The loss of this step's batch."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to be resumed. How long it is to last may change."""

    @property
    def progress(self) -> float:
        """The part of the run that is done: of its steps or its minutes, whichever is further."""
        return max(self.step / self.steps, 0 if self.minutes is None else self.seconds / (60 * self.minutes))

    def train_step(self) -> Tensor:
        """One step of the optimiser and the moving average. Returns the loss, still on the device."""
        rate = self.pace.rate(self.step, self.progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.low_precision):
            loss = self.loss()
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        current = self.network.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [current[name] for name in self.average],
                             1 - self.pace.decay(self.step))
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
                self.history.append(self.log_row(torch.stack(losses).mean().item()))
                losses.clear()
                log(self.history[-1])
                if time.monotonic() - saved > CHECKPOINT_SECONDS:
                    self.save(checkpoint)
                    saved = time.monotonic()
        self.save(checkpoint)

    def run_in(self, folder: Path) -> None:
        """The run as a program: its state and loss curve in `folder`, its progress on standard output.

        A signal to stop saves the state and ends the program.
        """
        folder.mkdir(parents=True, exist_ok=True)

        def log(row: dict[str, float]) -> None:
            write_csv(folder / "loss.csv", self.history)
            done = f"{min(self.progress, 1):6.1%}  step {row['step']:7,}  {row['seconds']:7.1f} s"
            print(f"{done}  loss {row['loss']:.4f}", flush=True)

        stopped = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        self.run(folder / "checkpoint.pt", log, stopped)
        if self.progress < 1:
            raise SystemExit(f"stopped at step {self.step}; --resume goes on")

    def log_row(self, loss: float) -> dict[str, float]:
        return {
            "step": self.step,
            "samples": self.step * self.pace.batch,
            "seconds": round(self.seconds, 1),
            "loss": round(loss, 5),
            "learning_rate": float(f"{self.optimizer.param_groups[0]['lr']:.3g}"),
        }

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
        state = torch.load(path, map_location=self.device, weights_only=True)
        there, here = state["identity"], self.identity()
        if other := [f"{key} {there.get(key)}, now {here[key]}" for key in here if there.get(key) != here[key]]:
            raise ValueError(f"{path}: written by a run with other settings: {'; '.join(other)}")
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]


def parse_with_resume(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments of a run in the folder `out`, with --resume added, which must suit what that folder holds."""
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    arguments = parser.parse_args()
    if (arguments.out / "checkpoint.pt").exists() != arguments.resume:
        there = "has no" if arguments.resume else "has a"
        parser.error(f"{arguments.out} {there} checkpoint.pt: --resume is for going on from one")
    return arguments


def write_csv(path: Path, rows: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
