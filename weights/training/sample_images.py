#!/usr/bin/env python3
"""Plain samples of a model folder by PyTorch: a look at a fresh model, and large sets where there is a GPU.

    python sample_images.py FOLDER OUT.safetensors [--count 10000] [--steps 100] [--churn 0.25]

The chain is the reverse diffusion that diffspec samples, `y + γ b + √γ ε g Z`, on the uniform grid from 0.995 to 0.
The file holds `samples` [N, C, H, W] and `labels` [N], which cycle through the classes.
"""

import argparse
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Generator, Tensor, nn

import model_folder
import process

START = 0.995


@torch.no_grad()
def sample(network: nn.Module, noise: Tensor, labels: Tensor, steps: int, churn: float,
           generator: Generator) -> Tensor:
    """The end of the chain that starts at `noise` [count, channels, height, width]."""
    y = noise
    times = [START * (1 - k / steps) for k in range(steps + 1)]
    for t, following in zip(times, times[1:], strict=False):
        time = torch.full((len(y),), t, device=y.device)
        with torch.autocast(y.device.type, torch.bfloat16, enabled=y.device.type == "cuda"):
            prediction = network(y, process.TIME_SCALE * time, labels).float()
        alpha, sigma = process.interpolant(time)
        velocity = math.pi / 2 * prediction
        score = -(sigma * y + alpha * prediction) / sigma
        diffusion = math.sqrt(math.pi * math.tan(math.pi * t / 2))
        drift = -velocity + (churn * diffusion) ** 2 / 2 * score
        gamma = t - following
        fresh = torch.randn(y.shape, generator=generator, device=y.device)
        y = y + gamma * drift + math.sqrt(gamma) * churn * diffusion * fresh
    return y


def main() -> None:
    parser = argparse.ArgumentParser(description="Sample a model folder, step by step.")
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("out", type=Path, help="safetensors file for the samples")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--churn", type=float, default=0.25)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    description = model_folder.read_json(arguments.model / "process.json")
    shape = [description["image"][key] for key in ("channels", "height", "width")]
    network = model_folder.load(arguments.model).to(device, memory_format=torch.channels_last)
    labels = torch.arange(arguments.count, device=device) % len(description["classes"])
    generator = Generator(device).manual_seed(arguments.seed)
    samples = []
    for rows in labels.split(arguments.batch):
        noise = torch.randn(len(rows), *shape, generator=generator, device=device)
        samples.append(sample(network, noise, rows, arguments.steps, arguments.churn, generator).cpu())
        print(f"{sum(map(len, samples)):,} of {arguments.count:,}", flush=True)
    save_file({"samples": torch.cat(samples).contiguous(), "labels": labels.cpu()}, arguments.out)


if __name__ == "__main__":
    main()
