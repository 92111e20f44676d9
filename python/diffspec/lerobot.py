"""lerobot's diffusion policy, planning in fewer sequential calls."""

from __future__ import annotations

from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .sampling import sample
from .schedule import Schedule
from .torch import Pieces, in_pieces, seeds


def accelerate(policy: Any, window: int | str = 20, draft: str = "recycled", *, max_rows: int | None = None,
               **settings: Any) -> Any:
    """Replaces the denoising loop of a `DiffusionPolicy`; its vision encoder, queues and normalisation are untouched.

    The policy itself is changed and returned; `policy.diffusion.last` is the result of its last plan.

    Args:
        policy: lerobot's `DiffusionPolicy` with a `DDPMScheduler`.
        window: as for `diffspec.sample`; so are draft and the settings.
        max_rows: rows of one call of the network at most.

    Raises:
        TypeError: for another policy, or a scheduler whose steps add no noise.
    """
    model = getattr(policy, "diffusion", None)
    for name in ("unet", "noise_scheduler", "conditional_sample", "config"):
        if not hasattr(model, name):
            raise TypeError(f"{type(policy).__name__} cannot be accelerated: expected lerobot's DiffusionPolicy, with "
                            f"policy.diffusion.{name}")
    scheduler = type(model.noise_scheduler).__name__
    if scheduler != "DDPMScheduler":
        raise TypeError(f"{scheduler} adds no noise in its steps, so there is nothing to couple: expected a policy with "
                        'noise_scheduler_type "DDPM"; sample it plainly')
    pieces = Pieces(max_rows)

    def conditional_sample(self: Any, batch_size: int, global_cond: Tensor | None = None,
                           generator: torch.Generator | None = None, noise: Tensor | None = None) -> Tensor:
        parameter = next(self.parameters())
        shape = (self.config.horizon, self.config.action_feature.shape[0])

        @torch.inference_mode()
        def denoiser(x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
            states = torch.from_numpy(x).to(parameter.device, parameter.dtype)
            times = torch.from_numpy(t).to(parameter.device).long()
            of = torch.from_numpy(index).to(parameter.device)

            def evaluate(rows: Tensor) -> Tensor:
                condition = None if global_cond is None else global_cond[of[rows]]
                return self.unet(states[rows], times[rows], global_cond=condition)

            return in_pieces(evaluate, len(x), pieces).float().cpu().numpy()

        steps = self.num_inference_steps or self.noise_scheduler.config.num_train_timesteps
        self.last = sample(
            denoiser, shape, steps=steps, schedule=Schedule.from_diffusers(self.noise_scheduler), count=batch_size,
            seed=seeds(generator, batch_size), window=window, draft=draft, name=type(self.unet).__name__,
            initial=None if noise is None else noise.float().cpu().numpy(), **settings)
        return torch.from_numpy(self.last.samples).to(parameter.device, parameter.dtype)

    model.conditional_sample = MethodType(conditional_sample, model)
    model.last = None
    return policy
