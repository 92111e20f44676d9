#!/usr/bin/env python3
"""Trains the small classifier that `frechet.py` measures with.

    python train_classifier.py OUT.safetensors --data FOLDER [--epochs 30]
    python train_classifier.py OUT.safetensors --dataset fashion-mnist --width 8 --epochs 3

Random crops (4 pixels of padding) and flips, label smoothing 0.1, SGD with Nesterov momentum and a triangular rate.
"""

import argparse
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Generator, Tensor, nn

import classifier
import image_data
from image_data import ImageSet

BATCH = 512
PEAK_RATE = 0.4
PEAK_AT = 0.2  # of the run
WEIGHT_DECAY = 5e-4
PADDING = 4


def rate(progress: float) -> float:
    """The triangular learning rate at `progress` in [0, 1]."""
    return PEAK_RATE * min(progress / PEAK_AT, (1 - progress) / (1 - PEAK_AT))


def augmented(images: Tensor, generator: Generator) -> Tensor:
    """Each image flipped with probability 1/2 and moved by up to `PADDING` pixels, mirrored at the borders."""
    count, _, height, width = images.shape
    device = images.device
    flipped = torch.rand(count, generator=generator, device=device) < 0.5
    images = torch.where(flipped[:, None, None, None], images.flip(3), images)
    padded = F.pad(images, (PADDING,) * 4, mode="reflect")
    down, right = torch.randint(2 * PADDING + 1, (2, count, 1, 1), generator=generator, device=device)
    rows = down + torch.arange(height, device=device)[:, None]
    columns = right + torch.arange(width, device=device)
    every = torch.arange(count, device=device)[:, None, None]
    return padded[every, :, rows, columns].permute(0, 3, 1, 2)


def train(network: nn.Module, data: ImageSet, epochs: float, generator: Generator) -> float:
    """Trains in place; returns the mean loss of the last 20 steps."""
    device = data.images.device
    optimizer = torch.optim.SGD(network.parameters(), lr=PEAK_RATE, momentum=0.9, nesterov=True,
                                weight_decay=WEIGHT_DECAY)
    steps = max(1, round(epochs * len(data) / BATCH))
    order = torch.empty(0, dtype=torch.long, device=device)
    losses = []
    network.train()
    for step in range(steps):
        if len(order) < BATCH:
            order = torch.randperm(len(data), generator=generator, device=device)
        rows, order = order[:BATCH], order[BATCH:]
        for group in optimizer.param_groups:
            group["lr"] = rate((step + 1) / (steps + 1))
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = network(augmented(image_data.scaled(data.images[rows]), generator))
            loss = F.cross_entropy(logits.float(), data.labels[rows], label_smoothing=0.1)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{steps}  loss {torch.stack(losses[-50:]).mean():.3f}", flush=True)
    return torch.stack(losses[-20:]).mean().item()


def accuracy(network: nn.Module, data: ImageSet) -> float:
    """The part of the images whose largest logit is the label's."""
    network.eval()
    logits = classifier.in_batches(network, image_data.scaled(data.images))
    return (logits.argmax(dim=1) == data.labels).float().mean().item()


def main() -> None:
    parser = argparse.ArgumentParser(description="Train a classifier for Fréchet distances.")
    parser.add_argument("out", type=Path, help="safetensors file for the weights")
    parser.add_argument("--dataset", choices=image_data.CLASS_NAMES, default="cifar10")
    parser.add_argument("--data", type=Path, metavar="FOLDER",
                        help=f"the data set (fashion-mnist: {image_data.FASHION_MNIST_FOLDER})")
    parser.add_argument("--width", type=int, default=32, help="channels of the first layer; 8 features to each")
    parser.add_argument("--epochs", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    torch.manual_seed(arguments.seed)
    try:
        training_set, test_set = (image_data.load(arguments.dataset, arguments.data, split).to(device)
                                  for split in ("train", "test"))
    except (OSError, ValueError) as error:
        parser.error(str(error))
    network = classifier.Classifier(training_set.images.shape[1], arguments.width)
    network = network.to(device, memory_format=torch.channels_last)
    started = time.monotonic()
    train(network, training_set, arguments.epochs, Generator(device).manual_seed(arguments.seed))
    seconds = time.monotonic() - started
    correct = accuracy(network, test_set)
    classifier.save(arguments.out, network)
    print(f"{correct:.2%} of the test images right after {seconds:.0f} s on {device}")


if __name__ == "__main__":
    main()
