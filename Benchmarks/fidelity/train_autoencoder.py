#!/usr/bin/env python3
"""Trains the small autoencoder that `make_rules.py` verifies drafts with (`--rule autoencoder:OUT`).

    python Benchmarks/fidelity/train_autoencoder.py OUT [--epochs 2] [--threads 1]

A denoising autoencoder: from a state `α x0 + σ x1` of the chain, at any time and without being told which, it gives
back `α x0`, the part that is a picture. What two states differ by in noise is then no reason to reject. OUT becomes a
folder in diffusers' layout: a `UNet2DModel` without classes, asked at timestep 0. Needs PyTorch, numpy, safetensors and
Debian's `dataset-fashion-mnist`.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import Generator

sys.path.insert(0, str(Path(__file__).parents[2] / "weights" / "training"))
import image_data
import model_folder
from process import interpolant, stratified_times
from unet2d import UNet2D, UNetConfig

CONFIG = UNetConfig(image_size=28, image_channels=1, channels=(16, 16, 32), layers=1, attention_levels=(), head_dim=8,
                    norm_groups=8, class_embeddings=1)
BATCH = 128
RATE = 2e-3


def without_classes(network: UNet2D) -> dict[str, torch.Tensor]:
    """The weights with the only class's embedding moved into the bias of the time embedding, where it is added."""
    weights = network.state_dict()
    embedding = weights.pop("class_embedding.weight")
    weights["time_embedding.linear_2.bias"] = weights["time_embedding.linear_2.bias"] + embedding[0]
    return weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, metavar="OUT")
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    generator = Generator().manual_seed(0)
    images = image_data.scaled(image_data.load("fashion-mnist", None, "train").images)
    network = UNet2D(CONFIG)
    steps = arguments.epochs * (len(images) // BATCH)
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=RATE, total_steps=steps)
    timestep, label = torch.zeros(BATCH), torch.zeros(BATCH, dtype=torch.long)
    losses = []
    for step in range(steps):
        if step % (len(images) // BATCH) == 0:
            order = torch.randperm(len(images), generator=generator)
        start = step % (len(images) // BATCH) * BATCH
        batch = images[order[start:start + BATCH]]
        alpha, sigma = interpolant(stratified_times(BATCH, generator))
        state = alpha * batch + sigma * torch.randn(batch.shape, generator=generator)
        loss = (network(state, timestep, label) - alpha * batch).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} of {steps}: {sum(losses[-100:]) / 100:.4f}", flush=True)
    config = CONFIG.as_diffusers() | {"num_class_embeds": None}
    model_folder.write_network(arguments.out, config, without_classes(network), torch.float32)


if __name__ == "__main__":
    main()
