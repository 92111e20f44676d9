"""What a run gives."""

import ctypes
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _library as lib
from ._callback import Callback

Progress = Callable[[int, int], object]
"""`progress(decided, total)`: steps of all samples, called after every round."""


@dataclass(frozen=True)
class Count:
    """A count over samples."""

    mean: float
    min: int
    max: int


@dataclass(frozen=True)
class Result:
    """Samples, and what they cost.

    Attributes:
        samples: float32 [count, *shape].
        nfe: network calls that a sample took part in, however many rows they had.
        windows: of these the calls that verified drafts, which the paper's Table 2 counts.
        evaluations: rows of those calls that were a sample's own.
        acceptance: accepted of all decided drafts; 0 for plain sampling.
        exact: whether the samples have the law of plain sampling.
        report: all of it and more, as `diffspec sample --report` writes it.
    """

    samples: np.ndarray
    nfe: Count
    windows: Count
    evaluations: Count
    acceptance: float
    exact: bool
    report: dict[str, Any]


def finish(handle: int, shape: tuple[int, ...], count: int, callbacks: list[Callback], steps: int,
           progress: Progress | None) -> Result:
    """Runs a sampler to its end, round by round, and destroys it whatever happens."""
    try:
        while True:
            status = lib.call("diffspec_sampler_step", handle)
            for callback in callbacks:
                if callback.raised is not None:
                    raise callback.raised
            if status == lib.STOPPED:
                raise KeyboardInterrupt  # the function was interrupted before it could note anything
            if status == lib.CANCELLED:
                raise lib.DiffSpecError("the run was cancelled")
            if progress is not None:
                decided = ctypes.c_int64()
                lib.call("diffspec_sampler_progress", handle, None, ctypes.byref(decided))
                progress(decided.value, count * steps)
            if status == lib.FINISHED:
                break
        samples = np.empty((count, *shape), np.float32)
        lib.call("diffspec_sampler_samples", handle, samples.ctypes.data)
        report = json.loads(lib.text(lib.call("diffspec_sampler_report", handle)))
    finally:
        lib.library().diffspec_sampler_destroy(handle)
    counts = {key: Count(**report[key]) for key in ("nfe", "windows", "evaluations")}
    return Result(samples=samples, acceptance=report["acceptance"], exact=report["exact"], report=report, **counts)
