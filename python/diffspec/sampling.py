"""Sampling with a network of one's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import _library as lib
from ._callback import Callback, Denoiser
from ._result import Progress, Result, finish
from .schedule import Schedule


def sample(
    denoiser: Denoiser, shape: Sequence[int], *, steps: int | None = None, window: int | str = 20,
    schedule: str | Schedule = "cosine", prediction: str | None = None, churn: float = 0.25, count: int = 1,
    seed: int | Sequence[int] = 0, draft: str = "recycled", draft_denoiser: Denoiser | None = None,
    rule: str = "reflection", fallback: bool = True, initial: np.ndarray | None = None,
    guidance: float = 0.0, chain: str | None = None, eta: float | None = None, spacing: str | None = None, rho: float | None = None,
    times: Mapping[str, Sequence[float]] | Sequence[float] | None = None, denoise_last_step: bool = False,
    bounds: tuple[float, float] | None = None, batch: int | None = None, first: int = 0, name: str | None = None,
    progress: Progress | None = None,
) -> Result:
    """Samples with the law of plain sampling in fewer sequential calls of the network.

    Args:
        denoiser: `denoiser(x, t, index)` with `x` float32 [rows, *shape], `t` float64 [rows] (the noise time in (0, 1], or
            the network's timestep for a diffusers schedule) and `index` int64 [rows], which sample a row belongs to.
            Returns an array or a tensor of the shape of `x`. Rows must not influence each other.
        shape: of one sample.
        steps: K, the steps of the chain; 100 by default.
        window: states drafted and scored a call; "adaptive" or "auto" to have it chosen.
        schedule: `cosine`, `flow`, `vp-linear`, `ve`, or a `Schedule`.
        prediction: what the network predicts: `epsilon` (the default), `sample`, `velocity`, `v_prediction` or `score`. A diffusers
            scheduler says it itself, and a chain of arrays takes the answers as they are.
        churn: ε, how much noise each step of the reverse SDE adds: 0 is the ODE, where nothing can be saved.
        count: samples; each is a function of the seed and its own number.
        seed: of all randomness; or one for each sample.
        initial: where the chains start, [count, *shape]; noise by default.
        draft: what proposes the window; "none" is plain sampling. See `diffspec sample --help`.
        draft_denoiser: the smaller network of the drafts "independent" and "assisted".
        rule: the verification; "reflection" is exact, "temperature:2" is not.
        fallback: go over to plain steps where almost every draft is rejected.
        guidance: δ of class-free guidance `(1 + δ) x̂0 - δ x̂0(no condition)`; the rows without a condition come with
            `index` -1 - i.
        chain: "sde", "exponential" (the same SDE, solved exactly over each step for a denoised state that stays), or "ddpm" or
            "ddim" for the steps of a scheduler with betas.
        eta: η of "ddim", 0 (no noise, so nothing to speculate on) to 1 (that of "ddpm").
        spacing: "uniform", "edm", "logarithmic", "ays-sd15", "ays-sdxl" or "ays-svd", of the SDE's time grid.
        rho: ρ of the spacing "edm"; 7 by default.
        times: a time grid in place of `spacing` and `steps`, descending: noise times, or `{"sigmas": [...]}` (σ/α) or
            `{"timesteps": [...]}`.
        denoise_last_step: the SDE's last step returns the denoised sample.
        bounds: where x̂0 is clipped to.
        batch: samples under way at a time; at most 256 by default.
        first: the first sample's number.
        name: of the network, for the report.
        progress: called with the steps decided and those of all samples, after every round.

    Raises:
        DiffSpecError: for settings that cannot be, or answers that are not finite or of another shape.
        Exception: whatever the denoiser raises.
    """
    schedule = schedule if isinstance(schedule, Schedule) else Schedule.named(schedule)
    recipe = {
        "prediction": prediction, "steps": steps, "window": window, "churn": churn, "count": count,
        "draft": draft, "rule": rule, "fallback": fallback, "guidance": guidance, "chain": chain,
        "eta": eta, "rho": rho, "spacing": spacing,
        "times": times if times is None or isinstance(times, Mapping) else {"times": [float(time) for time in times]}, "denoise_last_step": denoise_last_step or None, "bounds": bounds, "batch": batch, "first": first,
        "seed" if np.ndim(seed) == 0 else "seeds": seed,
        "name": name or getattr(denoiser, "__name__", type(denoiser).__name__),
    }
    recipe |= {key: value for key, value in schedule.recipe.items() if recipe.get(key) is None}
    wrapped = [None if network is None else schedule.wrap(network) if schedule.wrap else network
               for network in (denoiser, draft_denoiser)]
    return run(recipe, shape, wrapped[0], wrapped[1], progress, initial)


def langevin(
    gradient: Callable[[np.ndarray], Any], shape: Sequence[int], *, steps: int, step_size: float, window: int | str = 20,
    count: int = 1, seed: int = 0, draft: str = "recycled", rule: str = "reflection", fallback: bool = True,
    batch: int | None = None, first: int = 0, progress: Progress | None = None,
) -> Result:
    """The unadjusted Langevin chain `x ← x - γ ∇E(x) + √(2γ) noise` from standard normals, speculatively.

    Args:
        gradient: of the energy `E = -log p`, from `x` float32 [rows, *shape] to as much; or a function that returns
            `(energy, gradient)`, as `jax.value_and_grad` makes it.
        shape: of one state.
        steps: K.
        step_size: γ.

    The other arguments are those of `sample`. `result.samples` are the chains' last states.
    """
    def network(x: np.ndarray, _: np.ndarray, __: np.ndarray) -> Any:
        found = gradient(x)
        return found[1] if isinstance(found, tuple) else found

    recipe = {"langevin": {"step_size": step_size}, "steps": steps, "window": window, "count": count, "seed": seed,
              "draft": draft, "rule": rule, "fallback": fallback, "batch": batch, "first": first, "name": "langevin"}
    return run(recipe, shape, network, None, progress)


def run(recipe: dict[str, Any], shape: Sequence[int], denoiser: Denoiser, draft_denoiser: Denoiser | None,
        progress: Progress | None, initial: np.ndarray | None = None) -> Result:
    """Runs a recipe with a network, and perhaps a smaller one."""
    shape, count = tuple(int(length) for length in shape), int(recipe["count"])
    if initial is not None:
        initial = np.ascontiguousarray(initial, np.float32)
        if initial.shape != (count, *shape):
            raise lib.DiffSpecError(f"initial must be {(count, *shape)}, and is {initial.shape}")
    callbacks = [Callback(network, shape) for network in (denoiser, draft_denoiser) if network is not None]
    draft = callbacks[1].function if draft_denoiser is not None else lib.PREDICT()
    handle = lib.call("diffspec_sampler_create", lib.encoded(recipe | {"shape": shape}), callbacks[0].function, None, draft, None,
                      None if initial is None else initial.ctypes.data)
    return finish(handle, shape, count, callbacks, _step_count(recipe), progress)


def _step_count(recipe: Mapping[str, Any]) -> int:
    """K of a recipe that the library has accepted."""
    if recipe.get("steps") is not None:
        return int(recipe["steps"])
    if "coefficients" in recipe:
        return len(recipe["coefficients"]["times"])
    if recipe.get("times") is not None:
        (unit, values), = recipe["times"].items()
        return len(values) - int(unit != "timesteps" and values[-1] == 0)
    return 100


def noise(shape: Sequence[int], *, seed: int, sample: int = 0, step: int = -1) -> np.ndarray:
    """The standard normals, float64, that a sample's step adds, or, for step -1, its first state before it is scaled.

    For comparing a run with another program's loop on the same noise.
    """
    values = np.empty(tuple(shape), np.float64)
    lib.library().diffspec_noise(seed, sample, step, values.size, values.ctypes.data)
    return values


__all__ = ["langevin", "noise", "sample"]
