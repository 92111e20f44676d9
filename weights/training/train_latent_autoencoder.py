#!/usr/bin/env python3
"""Trains the autoencoder of a bundled model of latents, diffusers' `AutoencoderKL`, and writes its folder.

    python train_latent_autoencoder.py OUT --data FOLDER [--minutes 25] [--bf16]

CIFAR-10's 3×32×32 pictures become latents of 4×8×8, a twelfth of the numbers. What is learnt: the mean absolute error of the
picture, and a little of the Kullback–Leibler divergence that keeps latents near a standard normal. OUT/vqvae holds the folder
(diffusers' `LDMPipeline` calls it that), `loss.csv` and `checkpoint.pt` lie in OUT. Needs diffusers.
"""

import argparse
import math
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor

import image_data
from image_data import ImageSet
from trainer import Pace, Trainer, add_run_options, keyed_generator, parse_run, reported

CHANNELS = (32, 64, 64)
LATENT_CHANNELS, IMAGE_SIZE = 4, 32
DIVERGENCE_WEIGHT = 1e-5  # of the divergence's mean over a latent's numbers, beside the error's mean over the pixels'
PACE = Pace(batch=64, learning_rate=1e-3, warmup_steps=200, ema_decay=0.999)
EPOCHS = 20
FOLDER = "vqvae"
BATCH = 250


def new_network() -> AutoencoderKL:
    levels = len(CHANNELS)
    return AutoencoderKL(
        in_channels=3, out_channels=3, down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels, block_out_channels=CHANNELS, layers_per_block=1,
        latent_channels=LATENT_CHANNELS, norm_num_groups=16, sample_size=IMAGE_SIZE, scaling_factor=1.0,
    )


class AutoencoderTrainer(Trainer):
    """The run of an autoencoder on a data set."""

    def __init__(self, data: ImageSet, seed: int, minutes: float | None, low_precision: bool) -> None:
        device = data.images.device
        torch.manual_seed(seed)
        network = new_network().to(device, memory_format=torch.channels_last)
        super().__init__(network, PACE, seed, EPOCHS * len(data) / PACE.batch, minutes, device, low_precision)
        self.data = data

    def loss(self) -> Tensor:
        generator = keyed_generator(self.device, self.seed, 1, self.step)
        images = image_data.scaled(self.data.images[self.batch_rows(len(self.data))])
        flipped = torch.rand(len(images), generator=generator, device=self.device) < 0.5
        images = image_data.mirrored(images, flipped).contiguous(memory_format=torch.channels_last)
        law = self.network.encode(images).latent_dist
        noise = torch.randn(law.mean.shape, generator=generator, device=self.device)
        restored = self.network.decode(law.mean + law.std * noise).sample
        mean, log_variance = law.mean.float(), law.logvar.float()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        return (restored.float() - images).abs().mean() + DIVERGENCE_WEIGHT * divergence

    def identity(self) -> dict[str, Any]:
        return {"channels": list(CHANNELS), "seed": self.seed}

    def save_model(self, folder: Path) -> None:
        save(folder / FOLDER, self.average, self.data)


def save(folder: Path, weights: dict[str, Tensor], data: ImageSet) -> None:
    """Writes the folder, with the scale that gives latents of the data a variance of 1."""
    network = new_network()
    network.load_state_dict(weights)
    latents = encoded(network.eval(), image_data.scaled(data.images[:2000]))
    network.register_to_config(scaling_factor=round(1 / latents.std().item(), 5))
    network.save_pretrained(folder)


@torch.no_grad()
def encoded(network: AutoencoderKL, images: Tensor) -> Tensor:
    """The means of the latents' laws [count, channels, height, width], not scaled."""
    return torch.cat([network.encode(part).latent_dist.mean for part in images.split(BATCH)])


@torch.no_grad()
def error(network: AutoencoderKL, data: ImageSet, count: int) -> float:
    """Root mean square of what the latents' means lose of the first `count` pictures, in [-1, 1]."""
    images = image_data.scaled(data.images[:count])
    losses = [(network.decode(encoded(network, part)).sample - part).square().mean() for part in images.split(BATCH)]
    return math.sqrt(torch.stack(losses).mean().item())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the data set's folder")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast")
    add_run_options(parser)
    arguments = parse_run(parser)
    with reported():
        train, test = (image_data.load("cifar10", arguments.data, split) for split in ("train", "test"))
        trainer = AutoencoderTrainer(train, arguments.seed, arguments.minutes, arguments.bf16)
        if arguments.resume:
            trainer.resume(arguments.out)
    trainer.run_in(arguments.out, f"autoencoder, {len(train):,} images")
    saved = AutoencoderKL.from_pretrained(arguments.out / FOLDER)
    lost = error(saved, test, 2000)
    print(f"lost of 2,000 test images: {lost:.4f} of [-1, 1], {20 * math.log10(2 / lost):.2f} dB")


if __name__ == "__main__":
    main()
