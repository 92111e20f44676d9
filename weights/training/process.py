"""The cosine interpolant `X_t = α_t X_0 + σ_t X_1` with `α = cos(πt/2)`, `σ = sin(πt/2)`, and what is learnt of it.

The network sees the time `1000 t` and predicts `v = α X_1 - σ X_0` (diffusers' `v_prediction`), which is 2/π times the
velocity. `process.json` beside the weights says so.
"""

import math
from typing import Any

import torch
from torch import Generator, Tensor, nn

TIME_SCALE = 1000
TIME_MARGIN = 1e-4  # training times lie in (TIME_MARGIN, 1 - TIME_MARGIN)


def interpolant(time: Tensor) -> tuple[Tensor, Tensor]:
    """`α` and `σ` [batch, 1, 1, 1] at times [batch]."""
    angle = time[:, None, None, None] * (math.pi / 2)
    return angle.cos(), angle.sin()


def stratified_times(count: int, generator: Generator) -> Tensor:
    """One uniform time in each of `count` equal parts of (TIME_MARGIN, 1 - TIME_MARGIN), in order."""
    device = generator.device
    uniform = (torch.arange(count, device=device) + torch.rand(count, generator=generator, device=device)) / count
    return TIME_MARGIN + (1 - 2 * TIME_MARGIN) * uniform


def prediction_loss(network: nn.Module, data: Tensor, labels: Tensor, generator: Generator) -> Tensor:
    """Mean-squared error of the prediction at stratified times, with fresh noise. The rows must be in random order."""
    time = stratified_times(len(data), generator)
    noise = torch.randn(data.shape, generator=generator, device=data.device)
    alpha, sigma = interpolant(time)
    predicted = network(alpha * data + sigma * noise, TIME_SCALE * time, labels)
    return (predicted.float() - (alpha * noise - sigma * data)).square().mean()


def description(image_shape: tuple[int, int, int], classes: tuple[str, ...]) -> dict[str, Any]:
    """What `process.json` holds, for images [channels, height, width] in [-1, 1]; the null class comes last."""
    channels, height, width = image_shape
    return {
        "schedule": "cosine",
        "prediction": "v_prediction",
        "time_scale": TIME_SCALE,
        "image": {"height": height, "width": width, "channels": channels, "range": [-1, 1]},
        "classes": list(classes),
        "null_class": len(classes),
    }
