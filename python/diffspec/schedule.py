"""How data and noise are mixed, and which steps are taken: named, from diffusers, or from arrays."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._callback import Denoiser, as_array


@dataclass(frozen=True)
class Schedule:
    """A part of a sampler's recipe.

    Attributes:
        recipe: keys of the recipe, see `diffspec.h`.
        wrap: makes of a denoiser the one that the chain asks; None for itself.
    """

    recipe: Mapping[str, Any]
    wrap: Callable[[Denoiser], Denoiser] | None = field(default=None, repr=False)

    @classmethod
    def named(cls, name: str, *, beta_min: float | None = None, beta_max: float | None = None,
              sigma_max: float | None = None, time_scale: float = 1.0) -> Schedule:
        """`cosine`, `flow`, `vp-linear` or `ve`. The denoiser is given `time_scale` times the noise time in (0, 1].

        `ve` is exploding noise, x0 + σ noise with σ up to `sigma_max` (80); with `time_scale=sigma_max` the denoiser is given σ.
        """
        return cls({"schedule": name, "beta_min": beta_min, "beta_max": beta_max, "sigma_max": sigma_max,
                    "time_scale": time_scale})

    @classmethod
    def from_diffusers(cls, scheduler: Any, steps: int | None = None) -> Schedule:
        """The noise of a diffusers scheduler, and its own steps where those are ancestral.

        The denoiser is given the training timestep, as diffusers' networks are. `DDPMScheduler` gives its own chain;
        `EulerAncestralDiscreteScheduler` its own chain for `steps` steps, and a denoiser for it is asked with the scaled
        input that the pipeline uses. Other schedulers with betas, and those of EDM, give their noise, and the steps are ours (chain="sde", "exponential"); a
        denoiser for EDM's is asked with the scaled input and `¼ ln σ`, as its pipeline asks the network.

        Args:
            scheduler: a scheduler, or its configuration.
            steps: for the Euler scheduler, whose steps are worked out here.
        """
        name = type(scheduler).__name__
        if name == "EulerAncestralDiscreteScheduler":
            if steps is None:
                raise TypeError("Schedule.from_diffusers: EulerAncestralDiscreteScheduler needs steps=")
            return _euler_ancestral(scheduler, steps)
        configuration = dict(getattr(scheduler, "config", scheduler))
        configuration.setdefault("_class_name", name if hasattr(scheduler, "config") else "DDPMScheduler")
        plain = json.loads(json.dumps(configuration, default=lambda value: np.asarray(value).tolist()))
        chain = "ddpm" if plain["_class_name"] == "DDPMScheduler" else "sde"
        return cls({"scheduler": plain, "chain": chain})

    @classmethod
    def from_arrays(cls, times: ArrayLike, state: ArrayLike, prediction: ArrayLike, deviation: ArrayLike, *,
                    initial_deviation: float = 1.0) -> Schedule:
        """The chain `y ← state[k] y + prediction[k] network(y, times[k]) + deviation[k] noise`.

        Args:
            times: what the network is told, [K]; so are the others.
            state: `a_k`.
            prediction: `b_k`, of the network's answer as it is.
            deviation: `s_k ≥ 0`; a step with 0 has no noise, so no draft of it is ever right but by luck.
            initial_deviation: of the first state.
        """
        lists = {name: np.asarray(values, np.float64).reshape(-1).tolist() for name, values in
                 {"times": times, "state": state, "prediction": prediction, "deviation": deviation}.items()}
        return cls({"coefficients": lists | {"initial_deviation": float(initial_deviation)}})


def _euler_ancestral(scheduler: Any, steps: int) -> Schedule:
    """Euler's ancestral steps (Karras et al. 2022, Algorithm 2's noise split as k-diffusion has it) in `y` and `x̂0`:

        y ← σ_down/σ y + (1 - σ_down/σ) x̂0 + σ_up noise
    """
    kind = scheduler.config.prediction_type
    if kind not in ("epsilon", "v_prediction"):
        raise ValueError(f"prediction_type {kind!r} of EulerAncestralDiscreteScheduler: expected epsilon or v_prediction")
    scheduler.set_timesteps(steps)
    sigmas = np.asarray(scheduler.sigmas.cpu(), np.float64)
    times = np.asarray(scheduler.timesteps.cpu(), np.float64)
    sigma, following = sigmas[:-1], sigmas[1:]
    up = np.sqrt(following**2 * (sigma**2 - following**2) / sigma**2)
    down = np.sqrt(following**2 - up**2)
    start = float(scheduler.init_noise_sigma)

    def wrap(denoiser: Denoiser) -> Denoiser:
        def denoised(x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
            # Timesteps are those of the table, so the nearest is the very one.
            place = np.abs(times[None] - t[:, None]).argmin(axis=1)
            s = sigma[place].astype(np.float32).reshape(-1, *[1] * (x.ndim - 1))
            scaled = x / np.sqrt(s**2 + 1)
            output = as_array(denoiser(scaled, t, index))
            if output.shape != x.shape:
                return output  # the caller says what is wrong
            return x - s * output if kind == "epsilon" else x / (s**2 + 1) - s / np.sqrt(s**2 + 1) * output
        return denoised

    schedule = Schedule.from_arrays(times, down / sigma, 1 - down / sigma, up, initial_deviation=start)
    return Schedule(schedule.recipe, wrap)
