#!/usr/bin/env python3
"""Trains a bundled image model and writes its model folder.

    python train_image_model.py fashion-mnist OUT
    python train_image_model.py cifar10 OUT --data FOLDER --minutes 20 --compile

Everything random is keyed by the seed and the step, and the state is saved every two minutes and at Ctrl-C: the same
command with --resume goes on where it stopped. OUT then holds the model folder, `loss.csv` and `checkpoint.pt`.
"""

import argparse
import csv
import math
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

import image_data
import model_folder
import process
from image_data import ImageSet
from unet2d import UNet2D, UNetConfig

LOG_EVERY = 50  # steps
CHECKPOINT_SECONDS = 120
EVALUATION_IMAGES = 2000
EVALUATION_BATCH = 250
LABEL_DROPOUT = 0.1
FINAL_RATE = 0.02  # of the full learning rate


@dataclass(frozen=True)
class Recipe:
    """A model and how it is trained."""

    dataset: str
    network: UNetConfig
    epochs: float
    batch: int
    learning_rate: float
    warmup_steps: int
    ema_decay: float
    flips: bool
    dtype: torch.dtype  # of the saved weights


FASHION_MNIST = Recipe(
    dataset="fashion-mnist",
    network=UNetConfig(image_size=28, image_channels=1, channels=(32, 64, 64), layers=2, attention_levels=(2,),
                       head_dim=32, norm_groups=32, class_embeddings=11),
    epochs=12, batch=64, learning_rate=8e-4, warmup_steps=300, ema_decay=0.999, flips=False, dtype=torch.float32,
)
CIFAR10 = Recipe(
    dataset="cifar10",
    network=UNetConfig(image_size=32, image_channels=3, channels=(64, 128, 128, 128), layers=2, attention_levels=(1,),
                       head_dim=64, norm_groups=32, class_embeddings=11),
    epochs=1000, batch=512, learning_rate=1e-3, warmup_steps=1000, ema_decay=0.9999, flips=True, dtype=torch.bfloat16,
)
RECIPES = {
    "fashion-mnist": FASHION_MNIST,
    "fashion-mnist-draft": replace(
        FASHION_MNIST, learning_rate=1e-3,
        network=replace(FASHION_MNIST.network, channels=(16, 16, 32), layers=1, attention_levels=(), head_dim=8,
                        norm_groups=16),
    ),
    "cifar10": CIFAR10,
    "cifar10-draft": replace(
        CIFAR10, epochs=300,
        network=replace(CIFAR10.network, channels=(32, 48, 48), layers=1, attention_levels=(), head_dim=16,
                        norm_groups=16),
    ),
}


def keyed_generator(device: torch.device, *key: int) -> Generator:
    """A generator that depends on the key alone."""
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    return Generator(device).manual_seed(seed)


def learning_rate(recipe: Recipe, step: int, progress: float) -> float:
    """Linear warm-up, then a cosine over the whole run to `FINAL_RATE`; `progress` in [0, 1]."""
    cosine = FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * min(progress, 1))) / 2
    return recipe.learning_rate * cosine * min(1, (step + 1) / recipe.warmup_steps)


class Trainer:
    """The state of a run: network, moving average, optimiser, steps done, seconds spent, the loss so far."""

    def __init__(self, recipe: Recipe, data: ImageSet, seed: int, minutes: float | None, compiled: bool) -> None:
        self.recipe, self.data, self.seed, self.minutes = recipe, data, seed, minutes
        self.device = data.images.device
        self.on_gpu = self.device.type == "cuda"
        self.layout = torch.channels_last if self.on_gpu else torch.contiguous_format
        torch.manual_seed(seed)
        self.network = UNet2D(recipe.network).to(self.device, memory_format=self.layout)
        self.forward: Callable[..., Tensor] = torch.compile(self.network) if compiled else self.network
        self.average = {name: tensor.clone() for name, tensor in self.network.state_dict().items()}
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.99),
                                           weight_decay=0, fused=self.on_gpu)
        self.step = 0
        self.seconds = 0.0
        self.history: list[dict[str, float]] = []
        self.orders: dict[int, Tensor] = {}

    @property
    def progress(self) -> float:
        """The part of the run that is done: of its epochs or its minutes, whichever is further."""
        done = self.step * self.recipe.batch / (self.recipe.epochs * len(self.data))
        return max(done, 0 if self.minutes is None else self.seconds / (60 * self.minutes))

    def batch(self) -> tuple[Tensor, Tensor, Generator]:
        """This step's images, labels (some dropped) and the generator for the rest of its randomness."""
        size = self.recipe.batch
        epoch, place = divmod(self.step, len(self.data) // size)
        if epoch not in self.orders:
            order = torch.randperm(len(self.data), generator=keyed_generator(torch.device("cpu"), self.seed, 0, epoch))
            self.orders = {epoch: order.to(self.device)}
        rows = self.orders[epoch][place * size:(place + 1) * size]
        generator = keyed_generator(self.device, self.seed, 1, self.step)
        images = image_data.scaled(self.data.images[rows])
        if self.recipe.flips:
            flipped = torch.rand(size, generator=generator, device=self.device) < 0.5
            images = torch.where(flipped[:, None, None, None], images.flip(3), images)
        dropped = torch.rand(size, generator=generator, device=self.device) < LABEL_DROPOUT
        labels = self.data.labels[rows].masked_fill(dropped, self.recipe.network.class_embeddings - 1)
        return images.contiguous(memory_format=self.layout), labels, generator

    def train_step(self) -> Tensor:
        """One step of the optimiser and the moving average. Returns the loss, still on the device."""
        rate = learning_rate(self.recipe, self.step, self.progress)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        images, labels, generator = self.batch()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.on_gpu):
            loss = process.prediction_loss(self.forward, images, labels, generator)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        decay = min(self.recipe.ema_decay, (1 + self.step) / (10 + self.step))
        current = self.network.state_dict()
        torch._foreach_lerp_(list(self.average.values()), [current[name] for name in self.average], 1 - decay)
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

    def log_row(self, loss: float) -> dict[str, float]:
        return {
            "step": self.step,
            "images": self.step * self.recipe.batch,
            "seconds": round(self.seconds, 1),
            "loss": round(loss, 5),
            "learning_rate": float(f"{self.optimizer.param_groups[0]['lr']:.3g}"),
        }

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
        state = torch.load(path, map_location=self.device, weights_only=True)
        there, here = state["identity"], self.identity()
        if other := [f"{key} {there.get(key)}, now {here[key]}" for key in here if there.get(key) != here[key]]:
            raise ValueError(f"{path}: written by a run with other settings: {'; '.join(other)}")
        self.network.load_state_dict(state["network"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.history = state["step"], state["seconds"], state["history"]


@torch.no_grad()
def evaluation_loss(network: nn.Module, data: ImageSet) -> float:
    """The loss of the first `EVALUATION_IMAGES` images with their true labels, in F32, at fixed times and noise."""
    device = data.images.device
    losses = []
    for start in range(0, min(len(data), EVALUATION_IMAGES), EVALUATION_BATCH):
        rows = slice(start, start + EVALUATION_BATCH)
        images, labels = image_data.scaled(data.images[rows]), data.labels[rows]
        losses.append(process.prediction_loss(network, images, labels, keyed_generator(device, start)))
    return torch.stack(losses).mean().item()


def write_csv(path: Path, rows: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a bundled image model and write its model folder.")
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("--data", type=Path, metavar="FOLDER",
                        help=f"the data set (fashion-mnist: {image_data.FASHION_MNIST_FOLDER})")
    parser.add_argument("--epochs", type=float, help="length of the run in epochs (see RECIPES)")
    parser.add_argument("--minutes", type=float, help="end the run, learning rate and all, after this time at most")
    parser.add_argument("--batch", type=int, help="images a step (see RECIPES)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network (a minute's start-up)")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    arguments = parser.parse_args()
    if (arguments.out / "checkpoint.pt").exists() != arguments.resume:
        there = "has no" if arguments.resume else "has a"
        parser.error(f"{arguments.out} {there} checkpoint.pt: --resume is for going on from one")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    recipe = RECIPES[arguments.model]
    recipe = replace(recipe, epochs=arguments.epochs or recipe.epochs, batch=arguments.batch or recipe.batch)
    device = torch.device(arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    checkpoint = arguments.out / "checkpoint.pt"
    try:
        train, test = (image_data.load(recipe.dataset, arguments.data, split).to(device) for split in ("train", "test"))
        trainer = Trainer(recipe, train, arguments.seed, arguments.minutes, arguments.compile)
        if arguments.resume:
            trainer.resume(checkpoint)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
    parameters = sum(parameter.numel() for parameter in trainer.network.parameters())
    print(f"{arguments.model}: {parameters:,} parameters, {len(train):,} images, on {device}", flush=True)

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
    image_shape = (recipe.network.image_channels, recipe.network.image_size, recipe.network.image_size)
    model_folder.save(arguments.out, recipe.network, trainer.average,
                      process.description(image_shape, image_data.CLASS_NAMES[recipe.dataset]), recipe.dtype)
    saved = model_folder.load(arguments.out).to(device)
    print(f"saved weights: loss {evaluation_loss(saved, train):.4f} on {EVALUATION_IMAGES} training images, "
          f"{evaluation_loss(saved, test):.4f} on as many test images")


if __name__ == "__main__":
    main()
