"""Is speculative sampling with this network exact? A two-sample test of its samples against plain ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._callback import Denoiser
from ._result import Result
from .sampling import sample


@dataclass(frozen=True)
class Verification:
    """`p_value` of the hypothesis that both sets have one law, by the energy distance `statistic`.

    A small p-value (under 0.01, say) says that something is wrong: a network whose rows depend on each other, most often.
    A large one says that so many samples show no difference.
    """

    statistic: float
    p_value: float
    plain: Result
    speculative: Result


def energy_distance(first: np.ndarray, second: np.ndarray, permutations: int = 999,
                    seed: int = 0) -> tuple[float, float]:
    """Székely and Rizzo's two-sample statistic `2 E|X-Y| - E|X-X'| - E|Y-Y'|`, and its p-value by permutations."""
    rows = np.concatenate([first.reshape(len(first), -1), second.reshape(len(second), -1)]).astype(np.float64)
    squares = (rows**2).sum(axis=1)
    distance = np.sqrt(np.maximum(squares[:, None] + squares[None] - 2 * rows @ rows.T, 0))
    np.fill_diagonal(distance, 0)
    n, m = len(first), len(second)

    def statistic(sign: np.ndarray) -> np.ndarray:  # [permutations, n + m], 1/n for the first set and -1/m for the second
        return -np.einsum("pi,ij,pj->p", sign, distance, sign, optimize=True)

    weights = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])
    generator = np.random.default_rng(seed)
    observed = statistic(weights[None])[0]
    permuted = statistic(np.stack([generator.permutation(weights) for _ in range(permutations)]))
    return float(observed), float((1 + np.sum(permuted >= observed)) / (1 + permutations))


def verify(denoiser: Denoiser, shape: Sequence[int], *, count: int = 200, seed: int = 0, permutations: int = 999,
           **settings: Any) -> Verification:
    """Samples plainly and speculatively, with independent noise, and compares the two sets.

    Args:
        denoiser: as for `diffspec.sample`, whose other arguments are the settings.
        shape: of one sample.
        count: samples of each kind. Small faults need many.
        seed: the plain samples take the numbers after the speculative ones, so that the two sets are independent.
        permutations: of the test; the smallest p-value is 1 over one more.
    """
    speculative = sample(denoiser, shape, count=count, seed=seed, **settings)
    plain = sample(denoiser, shape, count=count, first=count, seed=seed, **(settings | {"draft": "none"}))
    statistic, p_value = energy_distance(plain.samples, speculative.samples, permutations, seed)
    return Verification(statistic, p_value, plain, speculative)
