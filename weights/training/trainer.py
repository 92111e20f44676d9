"""A training run that may be cut into pieces: network, moving average, optimiser, steps, seconds, the loss so far.

The folder of a run holds its state (`checkpoint.pt`), its loss curve (`loss.csv`) and the model folder of its moving
average, all written every two minutes, so that a model can be looked at and used while its training is under way.
"""

import argparse
import csv
import math
import os
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Generator, Tensor, nn

LOG_EVERY = 50  # steps
CHECKPOINT_SECONDS = 120
CHECKPOINT = "checkpoint.pt"
CURVE = "loss.csv"
STATE = {"identity", "network", "average", "optimizer", "step", "first_step", "seconds", "history"}  # in a checkpoint


def keyed_generator(device: torch.device, *key: int) -> Generator:
    """A generator that depends on the key alone."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    return Generator(device).manual_seed(seed)


@dataclass(frozen=True)
class Pace:
    """The optimiser's settings: linear warm-up, then a cosine over the whole run to `final_rate` of the rate.

    The moving average grows longer with the run, up to `ema_decay`: after `step` steps it spans about `step^ema_power`
    of them, or a ninth of them without a power.
    """

    batch: int
    learning_rate: float
    warmup_steps: int
    ema_decay: float
    ema_power: float | None = None
    final_rate: float = 0.02
    betas: tuple[float, float] = (0.9, 0.99)
    weight_decay: float = 0

    def rate(self, step: int, progress: float) -> float:
        """The learning rate `step` steps after the optimiser began; `progress` in [0, 1] of the whole run."""
        cosine = self.final_rate + (1 - self.final_rate) * (1 + math.cos(math.pi * min(progress, 1))) / 2
        return self.learning_rate * cosine * min(1, (step + 1) / self.warmup_steps)

    def decay(self, step: int) -> float:
        """The moving average's decay, after `step` ≥ 1 steps: at most `ema_decay`."""
        rising = (1 + step) / (10 + step) if self.ema_power is None else 1 - step ** -self.ema_power
        return min(self.ema_decay, rising)


class Trainer(ABC):
    """The state of a run. Everything random in it is keyed by the seed and the step.

    A run lasts `steps` steps or `minutes` minutes, whichever is over first. `low_precision` is bfloat16 autocast.
    """

    def __init__(self, network: nn.Module, pace: Pace, seed: int, steps: float, minutes: float | None,
                 device: torch.device, low_precision: bool) -> None:
        self.network, self.pace, self.seed, self.steps, self.minutes = network, pace, seed, steps, minutes
        self.device = device
        self.average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(network.parameters(), lr=pace.learning_rate, betas=pace.betas,
                                           weight_decay=pace.weight_decay, fused=device.type == "cuda")
        self.low_precision = low_precision
        self.step = self.first_step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.orders: dict[int, Tensor] = {}  # of the present epoch

    losses = ("loss",)  # the columns of the curve that are printed

    @abstractmethod
    def loss(self) -> Tensor:
        """The loss of this step's batch."""

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """What must be the same for a run to be resumed. How long it is to last may change."""

    @abstractmethod
    def save_model(self, folder: Path) -> None:
        """Writes the model folder, with the moving average as its weights."""

    @property
    def progress(self) -> float:
        """The part of the run that is done: of its steps or its minutes, whichever is further."""
        return max(self.step / self.steps, 0 if self.minutes is None else self.seconds / (60 * self.minutes))

    def batch_rows(self, count: int) -> Tensor:
        """Which of the `count` rows of the data this step sees: each at most once an epoch, in an order of its own."""
        size = self.pace.batch
        epoch, place = divmod(self.step, count // size)
        if epoch not in self.orders:
            order = torch.randperm(count, generator=keyed_generator(torch.device("cpu"), self.seed, 0, epoch))
            self.orders = {epoch: order.to(self.device)}
        return self.orders[epoch][place * size:(place + 1) * size]

    def train_step(self) -> Tensor:
        """One step of the optimiser and the moving average. Returns the loss, still on the device."""
        rate = self.pace.rate(self.step - self.first_step, self.progress)
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

    def start(self, weights: Path, average: Path | None) -> None:
        """Begins with another run's weights and moving average (the weights, if there is none), where that run ended
        according to the loss curve beside the weights.

        The optimiser has no memory of those weights, so the learning rate warms up again.
        """
        columns, curve = self.log_row(0).keys(), read_csv(weights.parent / CURVE)
        if not curve or curve[-1].keys() != columns:
            raise ValueError(f"{weights.parent / CURVE}: must have rows with the columns {', '.join(columns)}")
        self.network.load_state_dict(read_weights(weights, self.average))
        self.average = read_weights(average or weights, self.average)
        self.history = curve
        self.step = self.first_step = int(curve[-1]["step"])
        self.seconds = curve[-1]["seconds"]

    def run(self, folder: Path, log: Callable[[dict[str, float]], None], stopped: Event) -> None:
        """Trains to the end of the run or until `stopped`, saving state and model on the way and at the end."""
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
                self.save(folder)
                saved = time.monotonic()
        self.save(folder)

    def run_in(self, folder: Path, what: str) -> None:
        """The run of `what` as a program, its progress on standard output.

        A signal to stop saves the state and ends the program.
        """
        def log(row: dict[str, float]) -> None:
            write_csv(folder / CURVE, self.history)
            losses = "  ".join(f"{name} {row[name]:.4f}" for name in row if name in self.losses)
            print(f"{min(self.progress, 1):6.1%}  step {row['step']:7,}  {row['seconds']:7.1f} s  {losses}", flush=True)

        folder.mkdir(parents=True, exist_ok=True)
        parameters = sum(parameter.numel() for parameter in self.network.parameters())
        print(f"{what}: {parameters:,} parameters, on {self.device}", flush=True)

        stopped = Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        self.run(folder, log, stopped)
        if self.progress < 1:
            raise SystemExit(f"stopped at step {self.step}; --resume continues from there")

    def log_row(self, loss: float) -> dict[str, float]:
        return {
            "step": self.step,
            "samples": self.step * self.pace.batch,
            "seconds": round(self.seconds, 1),
            "loss": round(loss, 5),
            "learning_rate": float(f"{self.optimizer.param_groups[0]['lr']:.3g}"),
        }

    def save(self, folder: Path) -> None:
        """Writes the state and the model; the old state stays whole until the new one is."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CHECKPOINT
        unfinished = path.with_suffix(".unfinished")
        torch.save({
            "identity": self.identity(), "network": self.network.state_dict(), "average": self.average,
            "optimizer": self.optimizer.state_dict(), "step": self.step, "first_step": self.first_step,
            "seconds": self.seconds, "history": self.history,
        }, unfinished)
        os.replace(unfinished, path)
        self.save_model(folder)

    def resume(self, folder: Path) -> None:
        """Takes the state from a folder that `save` wrote."""
        path = folder / CHECKPOINT
        state = torch.load(path, map_location=self.device, weights_only=True)
        if missing := STATE - state.keys():
            raise ValueError(f"{path}: holds no {', '.join(sorted(missing))}: written by an older version of this "
                             "script; begin a new run in another folder")
        there, here = state["identity"], self.identity()
        if other := [f"{key} {there.get(key)}, now {here[key]}" for key in here if there.get(key) != here[key]]:
            raise ValueError(f"{path}: written by a run with other settings: {'; '.join(other)}")
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.first_step = state["step"], state["first_step"]
        self.seconds, self.history = state["seconds"], state["history"]


def add_run_options(parser: argparse.ArgumentParser, minutes: float | None = None, threads: int | None = None) -> None:
    """The options that every training script has, with this script's defaults."""
    parser.add_argument("--minutes", type=float, default=minutes,
                        help="end the run, fall of the learning rate included, after this time at most, all its pieces "
                             f"together (default: {minutes or 'no limit'})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=threads,
                        help=f"processor threads (default: {threads or 'as many as PyTorch takes'})")
    parser.add_argument("--resume", action="store_true", help=f"continue from OUT/{CHECKPOINT}")


def parse_run(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments of a run in the folder `out`. --resume must suit what that folder holds."""
    arguments = parser.parse_args()
    if (arguments.out / CHECKPOINT).exists() != arguments.resume:
        there = f"has no {CHECKPOINT}" if arguments.resume else f"has a {CHECKPOINT} already"
        parser.error(f"{arguments.out} {there}: --resume continues from it, and without --resume there may be none")
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    return arguments


@contextmanager
def reported() -> Iterator[None]:
    """Ends the program with a line that says what was wrong with its input, instead of a traceback."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error


def read_weights(path: Path, like: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a safetensors file, which must be those of `like` in name and shape, in its types and places."""
    try:
        found = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path}: not a safetensors file: {error}") from error
    for name in sorted(like.keys() | found.keys()):
        expected, there = (list(tensors[name].shape) if name in tensors else "nothing" for tensors in (like, found))
        if expected != there:
            raise ValueError(f"{path}: tensor {name} is {there}, expected {expected}: weights of another network")
    return {name: torch.empty_like(tensor).copy_(found[name]) for name, tensor in like.items()}


def write_csv(path: Path, rows: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def read_csv(path: Path) -> list[dict[str, float]]:
    """The rows that `write_csv` wrote."""
    with path.open(newline="") as file:
        return [{name: int(value) if value.isdigit() else float(value) for name, value in row.items()}
                for row in csv.DictReader(file)]
