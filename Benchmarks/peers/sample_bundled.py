"""Plain sampling of the bundled model: diffusers on PyTorch beside diffspec, the same steps, taking turns.

    .venv/bin/python Benchmarks/peers/sample_bundled.py weights/fashion-mnist .build/release/diffspec
"""

import argparse
import json
import math
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import torch
from diffusers import UNet2DModel


def sample(network: UNet2DModel, count: int, steps: int, churn: float) -> float:
    """Euler–Maruyama of the reverse SDE as `diffspec sample` steps through it; returns the seconds."""
    labels = torch.arange(count) % 10
    state = torch.randn(count, 1, 28, 28).contiguous(memory_format=torch.channels_last)
    times = [0.995 * (steps - k) / steps for k in range(steps + 1)]
    start = time.perf_counter()
    with torch.inference_mode():
        for now, following in zip(times, times[1:], strict=False):
            alpha, sigma = math.cos(math.pi / 2 * now), math.sin(math.pi / 2 * now)
            output = network(state, torch.full((count,), 1000 * now), class_labels=labels).sample
            clean, noise = alpha * state - sigma * output, sigma * state + alpha * output
            diffusion = math.pi * math.tan(math.pi / 2 * now)
            velocity = math.pi / 2 * (alpha * noise - sigma * clean)
            drift = -velocity - churn**2 * diffusion / (2 * sigma) * noise
            step = now - following
            state = state + step * drift + math.sqrt(step * diffusion) * churn * torch.randn_like(state)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=16)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    network = UNet2DModel.from_pretrained(arguments.model).eval().to(memory_format=torch.channels_last)
    sample(network, arguments.count, 5, 0.25)

    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [arguments.program, "sample", "--quiet", "--draft", "none", "--model", arguments.model]
        command += ["--count", str(arguments.count), "--steps", str(arguments.steps), "--out", f"{folder}/grid.png"]
        command += ["--threads", str(arguments.threads), "--report", str(report)]
        for _ in range(arguments.rounds):
            subprocess.run(command, check=True)
            ours.append(json.loads(report.read_text())["wall_seconds"])
            theirs.append(sample(network, arguments.count, arguments.steps, 0.25))
    ratio = statistics.median(t / o for o, t in zip(ours, theirs, strict=True))
    print(f"{arguments.count} images, {arguments.steps} plain steps, medians of {arguments.rounds} rounds")
    print(f"diffspec {statistics.median(ours):.2f} s, diffusers on PyTorch {statistics.median(theirs):.2f} s: {ratio:.2f} times")


if __name__ == "__main__":
    main()
