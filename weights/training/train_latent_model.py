#!/usr/bin/env python3
"""Trains the U-Net of a bundled model of latents on what an autoencoder makes of CIFAR-10.

    python train_latent_autoencoder.py OUT --data FOLDER --minutes 25
    python train_latent_model.py OUT/network --autoencoder OUT/vqvae --data FOLDER --minutes 60
    python train_latent_model.py OUT/network --assemble MODEL --autoencoder OUT/vqvae --data FOLDER

The last command makes the model folder MODEL of both parts, as `diffspec sample --model MODEL` takes it. A picture stands for
the mean of its latents' law, times the autoencoder's scale. Process and pace are those of `train_image_model.py`.
"""

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from torch import Tensor

import image_data
import model_folder
import process
from image_data import ImageSet
from train_image_model import ImageTrainer, Recipe
from train_latent_autoencoder import FOLDER as AUTOENCODER_FOLDER
from train_latent_autoencoder import encoded
from trainer import CURVE, Pace, add_run_options, keyed_generator, parse_run, reported
from unet2d import DIFFUSERS_VERSION, UNetConfig

RECIPE = Recipe(
    dataset="cifar10",
    network=UNetConfig(image_size=8, image_channels=4, channels=(96, 128), layers=1, attention_levels=(0, 1),
                       head_dim=32, norm_groups=32, class_embeddings=11),
    epochs=80, pace=Pace(batch=128, learning_rate=8e-4, warmup_steps=300, ema_decay=0.9995, ema_power=0.9), flips=True,
    dtype=torch.bfloat16,
)
INDEX = {
    "_class_name": "LDMPipeline", "_diffusers_version": DIFFUSERS_VERSION,
    "unet": ["diffusers", "UNet2DModel"], AUTOENCODER_FOLDER: ["diffusers", "AutoencoderKL"],
}


class LatentTrainer(ImageTrainer):
    """The run of a U-Net on latents: of each picture and of its mirror image."""

    def __init__(self, recipe: Recipe, data: ImageSet, autoencoder: AutoencoderKL, seed: int = 0,
                 minutes: float | None = None, low_precision: bool = False) -> None:
        super().__init__(recipe, data, seed, minutes, low_precision)
        self.latents = [scaled_latents(autoencoder, images) for images in (data.images, data.images.flip(3))]

    def images(self, rows: Tensor, flipped: Tensor) -> Tensor:
        straight, mirrored = (latents[rows] for latents in self.latents)
        return torch.where(flipped[:, None, None, None], mirrored, straight)


def scaled_latents(autoencoder: AutoencoderKL, images: Tensor) -> Tensor:
    """uint8 pictures as the U-Net sees them."""
    return autoencoder.config.scaling_factor * encoded(autoencoder, image_data.scaled(images))


@torch.no_grad()
def evaluation_loss(folder: Path, autoencoder: AutoencoderKL, data: ImageSet, count: int = 2000) -> float:
    """The loss of a saved network on the first `count` pictures with their true labels, at fixed times and noise."""
    network, latents = model_folder.load(folder), scaled_latents(autoencoder, data.images[:count])
    generator = keyed_generator(torch.device("cpu"), 0)
    return process.prediction_loss(network, latents, data.labels[:count], generator).item()


def assemble(folder: Path, network: Path, autoencoder: Path) -> None:
    """The model folder of both parts, the autoencoder's weights in the network's type."""
    shutil.copytree(network, folder / "unet", ignore=shutil.ignore_patterns("checkpoint.*", "process.json", CURVE))
    for name in ("process.json", CURVE):
        shutil.copy(network / name, folder)
    weights = {name: tensor.to(RECIPE.dtype) for name, tensor in load_file(autoencoder / model_folder.WEIGHTS).items()}
    model_folder.write_network(folder / AUTOENCODER_FOLDER, model_folder.read_json(autoencoder / "config.json"),
                               weights, RECIPE.dtype)
    model_folder.write_json(folder / "model_index.json", INDEX)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT", help="folder for the network, loss.csv and checkpoint.pt")
    parser.add_argument("--autoencoder", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the data set's folder")
    parser.add_argument("--epochs", type=float, help=f"length of the run in epochs (default: {RECIPE.epochs})")
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast")
    parser.add_argument("--assemble", type=Path, metavar="MODEL", help="only make this model folder of OUT")
    add_run_options(parser)
    arguments = parser.parse_args()
    return arguments if arguments.assemble else parse_run(parser)


def main() -> None:
    arguments = parse_arguments()
    if arguments.assemble:
        with reported():
            assemble(arguments.assemble, arguments.out, arguments.autoencoder)
        return
    with reported():
        train, test = (image_data.load(RECIPE.dataset, arguments.data, split) for split in ("train", "test"))
        autoencoder = AutoencoderKL.from_pretrained(arguments.autoencoder).eval()
        recipe = replace(RECIPE, epochs=arguments.epochs or RECIPE.epochs)
        trainer = LatentTrainer(recipe, train, autoencoder, arguments.seed, arguments.minutes, arguments.bf16)
        if arguments.resume:
            trainer.resume(arguments.out)
    trainer.run_in(arguments.out, f"latents, {len(train):,} pictures")
    print(f"saved weights: loss {evaluation_loss(arguments.out, autoencoder, train):.4f} on 2,000 training pictures, "
          f"{evaluation_loss(arguments.out, autoencoder, test):.4f} on as many test pictures")


if __name__ == "__main__":
    main()
