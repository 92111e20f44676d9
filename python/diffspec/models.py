"""The bundled models and model folders of pictures, on this library's own networks."""

from __future__ import annotations

import json
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _library as lib
from ._result import Progress, Result, finish

_BUNDLED = Path(__file__).parent / "weights"


def load(name: str | Path) -> Model:
    """A bundled model by its name, `fashion-mnist` or `cifar10`, or a folder as diffusers' `save_pretrained` writes it.

    Raises:
        DiffSpecError: naming the file and what is wrong with it.
    """
    bundled = _BUNDLED / str(name)
    return Model(str(bundled if "/" not in str(name) and bundled.is_dir() else name))


class Model:
    """A trained image model. `shape`, `classes`, `schedule` and `prediction` say what it is."""

    def __init__(self, folder: str) -> None:
        self._handle = lib.call("diffspec_model_open", folder.encode())
        self._finalizer = weakref.finalize(self, lib.library().diffspec_model_close, self._handle)
        described = json.loads(lib.text(lib.call("diffspec_model_describe", self._handle)))
        self.name: str = Path(folder).name
        self.shape: tuple[int, ...] = tuple(described["shape"])
        self.range: tuple[float, float] = tuple(described["range"])
        self.classes: list[str] = described["classes"]
        self.class_count: int = described["class_count"]
        self.schedule: str = described["schedule"]
        self.prediction: str = described["prediction"]
        self.parameters: int = described["parameters"]

    def __repr__(self) -> str:
        return f"<diffspec.Model {self.name}: {'×'.join(map(str, self.shape))}, {self.class_count} classes>"

    def sample(self, count: int = 1, *, classes: Sequence[str | int] = (), steps: int = 100, window: int | str = 20,
               churn: float = 0.25, seed: int = 0, draft: str = "recycled", rule: str = "reflection",
               fallback: bool = True, guidance: float = 0.0, chain: str | None = None, spacing: str | None = None,
               batch: int | None = None, first: int = 0, threads: int = 0, progress: Progress | None = None) -> Result:
        """Samples, those of `diffspec sample` with the same settings to the bit. The arguments are those of
        `diffspec.sample`; `classes` are names or labels, in turn; `threads` 0 takes all cores."""
        recipe = {"shape": self.shape, "count": count, "classes": [str(label) for label in classes], "steps": steps,
                  "window": window, "churn": churn, "seed": seed, "draft": draft, "rule": rule, "fallback": fallback,
                  "guidance": guidance, "chain": chain, "spacing": spacing, "batch": batch, "first": first}
        handle = lib.call("diffspec_model_sampler", self._handle, lib.encoded(recipe), threads)
        return finish(handle, self.shape, count, [], steps, progress)

    def predict(self, x: np.ndarray, t: np.ndarray, labels: Sequence[int] | np.ndarray | None = None, *,
                threads: int = 1) -> np.ndarray:
        """One call of the network: what it answers to `x` [rows, *shape] at the noise times `t` [rows] in (0, 1].

        Args:
            labels: [rows]; -1 is "no class". None for all rows without one, or a model without classes.
        """
        x = np.ascontiguousarray(x, np.float32)
        if x.ndim != 1 + len(self.shape) or x.shape[1:] != self.shape:
            raise lib.DiffSpecError(f"x must be [rows, {', '.join(map(str, self.shape))}], and is {list(x.shape)}")
        t = np.ascontiguousarray(np.broadcast_to(np.asarray(t, np.float64), len(x)))
        named = None
        if self.class_count:
            named = np.ascontiguousarray(np.broadcast_to(np.asarray(-1 if labels is None else labels, np.int64), len(x)))
        answers = np.empty_like(x)
        lib.call("diffspec_model_predict", self._handle, len(x), x.ctypes.data, t.ctypes.data,
                 None if named is None else named.ctypes.data, threads, answers.ctypes.data)
        return answers

    def denoiser(self, classes: Sequence[int] | None = None, *, threads: int = 1) -> Any:
        """The network as a denoiser for `diffspec.sample`; sample i shows `classes[i % len(classes)]`, all in turn."""
        shown = np.asarray(range(self.class_count) if classes is None else classes, np.int64)

        def denoiser(x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
            if len(shown) == 0:
                return self.predict(x, t, threads=threads)
            return self.predict(x, t, np.where(index < 0, -1, shown[index % len(shown)]), threads=threads)

        return denoiser
