"""The denoising diffusion of the policies: DDPM with the schedule that diffusers calls `squaredcos_cap_v2`.

`scheduler_config.json` beside the weights says so, as diffusers' `DDPMScheduler` writes it.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

STEPS = 100  # of training


def description() -> dict[str, Any]:
    """What `scheduler_config.json` holds."""
    return {
        "_class_name": "DDPMScheduler",
        "_diffusers_version": "0.42.1",
        "num_train_timesteps": STEPS,
        "beta_schedule": "squaredcos_cap_v2",
        "beta_start": 0.0001,
        "beta_end": 0.02,
        "trained_betas": None,
        "variance_type": "fixed_small",
        "clip_sample": True,
        "clip_sample_range": 1.0,
        "prediction_type": "epsilon",
        "thresholding": False,
        "timestep_spacing": "trailing",
        "steps_offset": 0,
        "rescale_betas_zero_snr": False,
    }


def cumulative_alphas() -> Tensor:
    """`ᾱ` [STEPS] in F64: `cos²` of the time, a step's `β` at most 0.999 (Nichol & Dhariwal, "Improved DDPM", 2021)."""
    def alpha_bar(time: float) -> float:
        return math.cos((time + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - alpha_bar((step + 1) / STEPS) / alpha_bar(step / STEPS), 0.999) for step in range(STEPS)]
    return (1 - torch.tensor(betas, dtype=torch.float64)).cumprod(0)


def prediction_loss(network: nn.Module, actions: Tensor, conditions: Tensor, generator: Generator) -> Tensor:
    """Mean-squared error of the predicted noise at uniform steps."""
    step = torch.randint(STEPS, (len(actions),), generator=generator, device=actions.device)
    noise = torch.randn(actions.shape, generator=generator, device=actions.device)
    alpha_bar = cumulative_alphas().float().to(actions.device)[step, None, None]
    noisy = alpha_bar.sqrt() * actions + (1 - alpha_bar).sqrt() * noise
    return (network(noisy, step, conditions).float() - noise).square().mean()


def timesteps(steps: int) -> list[int]:
    """The training timesteps of a run of `steps` ≤ STEPS, descending: evenly from the last down, diffusers'
    spacing `trailing`."""
    return ((STEPS - np.arange(steps) * STEPS / steps).round().astype(int) - 1).tolist()


@torch.no_grad()
def sample(network: nn.Module, conditions: Tensor, noise: Tensor) -> Tensor:
    """Ancestral sampling with the given noise [steps, N, T, D] (the first row is the initial state): N samples.

    Each step draws from the posterior of the timestep before given the predicted clean sample, clipped to [-1, 1]; the
    last step is that sample.
    """
    alpha_bars = cumulative_alphas().tolist()
    times = timesteps(len(noise))
    x = noise[0]
    for step, (time, before) in enumerate(zip(times, [*times[1:], None], strict=True)):
        here = alpha_bars[time]
        predicted = network(x, torch.full((len(x),), time), conditions)
        clean = ((x - math.sqrt(1 - here) * predicted) / math.sqrt(here)).clamp(-1, 1)
        if before is None:
            return clean
        previous = alpha_bars[before]
        alpha = here / previous
        mean = (math.sqrt(previous) * (1 - alpha) * clean + math.sqrt(alpha) * (1 - previous) * x) / (1 - here)
        x = mean + math.sqrt((1 - alpha) * (1 - previous) / (1 - here)) * noise[step + 1]
    raise ValueError("no steps")
