#!/usr/bin/env python3
"""Trains a bundled image model and writes its model folder.

    python train_image_model.py fashion-mnist OUT
    python train_image_model.py cifar10 OUT --data FOLDER
    python train_image_model.py cifar10-large OUT --data FOLDER --minutes 20 --compile

Everything random is keyed by the seed and the step, and the state is saved every two minutes and at Ctrl-C: the same
command with --resume continues where it stopped. OUT holds the model folder, `loss.csv` and `checkpoint.pt`.
"""

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn

import image_data
import model_folder
import process
from image_data import ImageSet
from trainer import Pace, Trainer, add_run_options, keyed_generator, parse_run, reported
from unet2d import UNet2D, UNetConfig

EVALUATION_IMAGES = 2000
EVALUATION_BATCH = 250
LABEL_DROPOUT = 0.1


@dataclass(frozen=True)
class Recipe:
    """A model and how it is trained."""

    dataset: str
    network: UNetConfig
    epochs: float
    pace: Pace
    flips: bool
    dtype: torch.dtype  # of the saved weights


FASHION_MNIST = Recipe(
    dataset="fashion-mnist",
    network=UNetConfig(image_size=28, image_channels=1, channels=(32, 64, 64), layers=2, attention_levels=(2,),
                       head_dim=32, norm_groups=32, class_embeddings=11),
    epochs=12, pace=Pace(batch=64, learning_rate=8e-4, warmup_steps=300, ema_decay=0.999), flips=False,
    dtype=torch.float32,
)
# For processors: 2 GFLOP a row, four million images in all. After 0.6 million images the moving average spans 2,000
# steps (0.9995), since a longer one would still remember a network that drew blurs. From 1.6 million on it spans 5,000
# (0.9998): the network then changes slowly, and averaging removes the noise that small batches leave in it.
CIFAR10 = Recipe(
    dataset="cifar10",
    network=UNetConfig(image_size=32, image_channels=3, channels=(32, 128, 192), layers=1, attention_levels=(1, 2),
                       head_dim=64, norm_groups=32, class_embeddings=11),
    epochs=80, pace=Pace(batch=128, learning_rate=6e-4, warmup_steps=500, ema_decay=0.9998, ema_power=0.9), flips=True,
    dtype=torch.bfloat16,
)
RECIPES = {
    "fashion-mnist": FASHION_MNIST,
    "fashion-mnist-draft": replace(
        FASHION_MNIST, pace=replace(FASHION_MNIST.pace, learning_rate=1e-3),
        network=replace(FASHION_MNIST.network, channels=(16, 16, 32), layers=1, attention_levels=(), head_dim=8,
                        norm_groups=16),
    ),
    "cifar10": CIFAR10,
    # A tenth of the target in parameters and in arithmetic.
    "cifar10-draft": replace(
        CIFAR10, epochs=40, pace=replace(CIFAR10.pace, learning_rate=1e-3),
        network=replace(CIFAR10.network, channels=(16, 32, 64), attention_levels=(2,), head_dim=16, norm_groups=16),
    ),
    # For accelerators: wider where the image has all its pixels, which costs them little.
    "cifar10-large": replace(
        CIFAR10, epochs=1000, pace=replace(CIFAR10.pace, batch=256, learning_rate=8e-4, ema_decay=0.9995),
        network=replace(CIFAR10.network, channels=(64, 128, 192)),
    ),
}


class ImageTrainer(Trainer):
    """The run of an image model on a data set."""

    def __init__(self, recipe: Recipe, data: ImageSet, seed: int = 0, minutes: float | None = None,
                 low_precision: bool = False, compiled: bool = False) -> None:
        device = data.images.device
        torch.manual_seed(seed)
        network = UNet2D(recipe.network).to(device, memory_format=torch.channels_last)
        steps = recipe.epochs * len(data) / recipe.pace.batch
        super().__init__(network, recipe.pace, seed, steps, minutes, device, low_precision)
        self.recipe, self.data = recipe, data
        self.forward: Callable[..., Tensor] = torch.compile(network) if compiled else network

    def batch(self) -> tuple[Tensor, Tensor, Generator]:
        """This step's images, labels (some dropped) and the generator for the rest of its randomness."""
        size = self.pace.batch
        rows = self.batch_rows(len(self.data))
        generator = keyed_generator(self.device, self.seed, 1, self.step)
        flipped = torch.zeros(size, dtype=torch.bool, device=self.device)
        if self.recipe.flips:
            flipped = torch.rand(size, generator=generator, device=self.device) < 0.5
        images = self.images(rows, flipped)
        dropped = torch.rand(size, generator=generator, device=self.device) < LABEL_DROPOUT
        labels = self.data.labels[rows].masked_fill(dropped, self.recipe.network.class_embeddings - 1)
        return images.contiguous(memory_format=torch.channels_last), labels, generator

    def images(self, rows: Tensor, flipped: Tensor) -> Tensor:
        """These images of the data, some flipped [rows], as the network is to see them."""
        return image_data.mirrored(image_data.scaled(self.data.images[rows]), flipped)

    def loss(self) -> Tensor:
        images, labels, generator = self.batch()
        return process.prediction_loss(self.forward, images, labels, generator)

    def identity(self) -> dict[str, Any]:
        return asdict(replace(self.recipe, epochs=0)) | {"seed": self.seed}

    def save_model(self, folder: Path) -> None:
        network = self.recipe.network
        image_shape = (network.image_channels, network.image_size, network.image_size)
        described = process.description(image_shape, image_data.CLASS_NAMES[self.recipe.dataset])
        model_folder.save(folder, network, self.average, described, self.recipe.dtype)


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


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a bundled image model and write its model folder.")
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("--data", type=Path, metavar="FOLDER",
                        help=f"the data set (fashion-mnist: {image_data.FASHION_MNIST_FOLDER})")
    parser.add_argument("--epochs", type=float, help="length of the run in epochs (see RECIPES)")
    parser.add_argument("--batch", type=int, help="images a step (see RECIPES)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction,
                        help="bfloat16 autocast (default: on a GPU; processors differ, so try both for a minute)")
    parser.add_argument("--compile", action="store_true", help="torch.compile the network (a minute's start-up)")
    parser.add_argument("--start", type=Path, metavar="FILE",
                        help="begin with these weights of another run, whose loss.csv lies beside them (a resumed run "
                             "has begun already and does not read them)")
    parser.add_argument("--start-average", type=Path, metavar="FILE",
                        help="begin with this moving average (default: the weights of --start)")
    add_run_options(parser)
    arguments = parse_run(parser)
    if arguments.start_average and not arguments.start:
        parser.error("--start-average needs the weights it is an average of: give --start too")
    if arguments.bf16 is None:
        arguments.bf16 = torch.device(arguments.device).type == "cuda"
    return arguments


def main() -> None:
    arguments = parse_arguments()
    recipe = RECIPES[arguments.model]
    pace = replace(recipe.pace, batch=arguments.batch or recipe.pace.batch)
    recipe = replace(recipe, epochs=arguments.epochs or recipe.epochs, pace=pace)
    device = torch.device(arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    with reported():
        train, test = (image_data.load(recipe.dataset, arguments.data, split).to(device) for split in ("train", "test"))
        trainer = ImageTrainer(recipe, train, arguments.seed, arguments.minutes, arguments.bf16, arguments.compile)
        if arguments.resume:
            trainer.resume(arguments.out)
        elif arguments.start:
            trainer.start(arguments.start, arguments.start_average)
    trainer.run_in(arguments.out, f"{arguments.model}, {len(train):,} images")
    saved = model_folder.load(arguments.out).to(device)
    print(f"saved weights: loss {evaluation_loss(saved, train):.4f} on {EVALUATION_IMAGES} training images, "
          f"{evaluation_loss(saved, test):.4f} on as many test images")


if __name__ == "__main__":
    main()
