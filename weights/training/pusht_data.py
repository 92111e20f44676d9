"""The PushT demonstrations as training examples: two observations and the sixteen actions from the first of them on.

Both are scaled to [-1, 1] by the least and largest value of each of their dimensions over all demonstrations.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

OBSERVATIONS = 2  # the latest states the policy sees
HORIZON = 16  # the actions it plans, the first of them at the time of the first observation
EXECUTED = 8  # the actions that are executed before it plans again, from the time of the last observation on


@dataclass(frozen=True)
class Range:
    """The least and largest value of each dimension [D], in the environment's units."""

    minimum: Tensor
    maximum: Tensor

    @staticmethod
    def of(values: Tensor) -> "Range":
        return Range(values.amin(0), values.amax(0))

    def scaled(self, values: Tensor) -> Tensor:
        """[..., D] to [-1, 1]."""
        return 2 * (values - self.minimum) / (self.maximum - self.minimum) - 1

    def unscaled(self, values: Tensor) -> Tensor:
        return (values + 1) / 2 * (self.maximum - self.minimum) + self.minimum


@dataclass(frozen=True)
class Demonstrations:
    """Examples, scaled: `conditions` [N, 2 · 5], the first observation first, and `actions` [N, 16, 2]."""

    conditions: Tensor
    actions: Tensor
    observation_range: Range
    action_range: Range

    def __len__(self) -> int:
        return len(self.actions)


def windows(length: int) -> np.ndarray:
    """The times [N, HORIZON] of every window of an episode. Windows reach over its ends, so that its first and its last
    states are seen as they will be when acting; there the first or last time is repeated."""
    before, after = OBSERVATIONS - 1, EXECUTED - 1
    starts = np.arange(-before, length - HORIZON + after + 1)
    return (starts[:, None] + np.arange(HORIZON)).clip(0, length - 1)


def load(path: Path) -> Demonstrations:
    """Reads `state` [N, 5], `action` [N, 2] and `episode_ends` [E] from an npz file."""
    with np.load(path) as arrays:
        if missing := {"state", "action", "episode_ends"} - set(arrays.files):
            raise ValueError(f"{path}: no array {', '.join(sorted(missing))}")
        state, action = (torch.from_numpy(arrays[name].astype(np.float32)) for name in ("state", "action"))
        ends = arrays["episode_ends"].astype(int)
    if state.ndim != 2 or action.ndim != 2 or not (len(state) == len(action) == ends[-1]):
        raise ValueError(f"{path}: state {tuple(state.shape)}, action {tuple(action.shape)} and the last episode's end "
                         f"{ends[-1]} do not fit together")
    starts = np.concatenate(([0], ends[:-1]))
    times = torch.from_numpy(np.concatenate([start + windows(end - start)
                                             for start, end in zip(starts, ends, strict=True)]))
    observation_range, action_range = Range.of(state), Range.of(action)
    return Demonstrations(
        conditions=observation_range.scaled(state)[times[:, :OBSERVATIONS]].flatten(1),
        actions=action_range.scaled(action)[times],
        observation_range=observation_range, action_range=action_range,
    )
