"""A Python function as the library's `diffspec_predict`."""

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._library import PREDICT, DiffSpecError

Denoiser = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]
"""`denoiser(x, t, index)`: `x` float32 [rows, *shape], `t` float64 [rows], `index` int64 [rows], to an array or a tensor of
the shape of `x`."""

_from_memory = ctypes.pythonapi.PyMemoryView_FromMemory
_from_memory.restype = ctypes.py_object
_from_memory.argtypes = (ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int)
_READ, _WRITE = 0x100, 0x200


def view(address: int, dtype: type, *shape: int, writable: bool = False) -> np.ndarray:
    """The library's memory as an array, for as long as the call lasts."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer(_from_memory(address, size, _WRITE if writable else _READ), dtype).reshape(shape)


def as_array(answers: Any, what: str = "the denoiser's answer") -> np.ndarray:
    """A NumPy array of what was given: an array, a PyTorch tensor of any device and type, or what NumPy takes."""
    if hasattr(answers, "detach") and hasattr(answers, "cpu"):  # PyTorch, without importing it
        answers = answers.detach().cpu()
        answers = answers.float().numpy() if answers.is_floating_point() else answers.numpy()
    array = np.asarray(answers)
    if array.dtype.kind not in "fiu":
        raise DiffSpecError(f"{what} must be real numbers, and is {array.dtype}")
    return array


class Callback:
    """Holds the function and what it raised: an exception cannot pass through the library, so it waits here."""

    def __init__(self, denoiser: Denoiser, shape: Sequence[int]) -> None:
        if not callable(denoiser):
            raise TypeError(f"the denoiser must be callable, and is {type(denoiser).__name__}")
        self.denoiser, self.shape = denoiser, tuple(shape)
        self.raised: BaseException | None = None
        self.function = PREDICT(self._predict)

    def _predict(self, _: object, rows: int, dimension: int, states: int, times: int, samples: int, steps: int,
                 answers: int) -> int:
        try:
            # Copies: a denoiser may keep what it is given for longer than the library does.
            x = view(states, np.float32, rows, *self.shape).copy()
            t = view(times, np.float64, rows).copy()
            index = view(samples, np.int64, rows).copy()
            found = as_array(self.denoiser(x, t, index))
            if found.shape != x.shape:
                raise DiffSpecError(f"the denoiser must return an array of the shape of x, {x.shape}, and returned "
                                    f"{found.shape}")
            view(answers, np.float32, rows, *self.shape, writable=True)[...] = found
            return 0
        except BaseException as error:  # noqa: BLE001  KeyboardInterrupt and SystemExit too: they are raised again outside
            self.raised = error
            return 1
