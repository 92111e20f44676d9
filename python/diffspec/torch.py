"""PyTorch networks as denoisers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def in_pieces(function: Callable[[Tensor], Tensor], rows: int, pieces: Pieces) -> Tensor:
    """The function's values for the row numbers 0 … rows - 1, as many at a time as the device holds."""
    found, start = [], 0
    while start < rows:
        size = min(pieces.largest, rows - start)
        try:
            found.append(function(torch.arange(start, start + size)))
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            pieces.largest = size // 2
            torch.cuda.empty_cache()
            continue
        start += size
    return torch.cat(found)


class Pieces:
    """How many rows a call of the network has at most; halved where the device runs out of memory."""

    def __init__(self, largest: int | None = None) -> None:
        if largest is not None and largest < 1:
            raise ValueError(f"max_rows must be at least 1, and is {largest}")
        self.largest = largest or 1 << 30


class Denoiser:
    """A module as a denoiser: `module(x, t)`, or what `call(module, x, t, index)` makes of it.

    Args:
        module: takes tensors `x` [rows, *shape] and `t` [rows] on its device; returns a tensor of the shape of `x`, or an
            object with it as `sample`, as diffusers' networks do.
        device: where it runs; the module's own by default.
        dtype: of its inputs, autocast included; the module's own by default.
        call: in place of `module(x, t)`, for labels and other inputs; `index` [rows] says which sample a row belongs to.
        max_rows: of one call of the module; unlimited by default, and less where the device's memory does not suffice.

    The module is used as it is: put it into `eval()`, since dropout and batch statistics would make rows depend on each
    other. Rows that a GPU computes together differ in their last bits from rows computed alone: the law is then that of
    the network up to rounding, and bits are not reproducible across batches.
    """

    def __init__(self, module: nn.Module, device: torch.device | str | None = None, dtype: torch.dtype | None = None, *,
                 call: Callable[[nn.Module, Tensor, Tensor, Tensor], Any] | None = None,
                 max_rows: int | None = None) -> None:
        if module.training:
            raise ValueError("the module is in training mode: call its eval() first")
        parameter = next(iter(module.parameters()), torch.empty(0))
        self.device = torch.device(device) if device is not None else parameter.device
        self.dtype = dtype or (parameter.dtype if parameter.is_floating_point() else torch.float32)
        self.module = module.to(self.device) if device is not None else module
        self.call = call or (lambda module, x, t, index: module(x, t))
        self.pieces = Pieces(max_rows)
        self.autocasts = self.dtype != parameter.dtype and self.dtype in (torch.bfloat16, torch.float16)
        self.__name__ = type(module).__name__

    @torch.inference_mode()
    def __call__(self, x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
        states = torch.from_numpy(x).to(self.device)
        times = torch.from_numpy(t.astype(np.float32)).to(self.device)
        samples = torch.from_numpy(index).to(self.device)
        if not self.autocasts:
            states, times = states.to(self.dtype), times.to(torch.promote_types(self.dtype, torch.float32))

        def evaluate(rows: Tensor) -> Tensor:
            start, end = int(rows[0]), int(rows[-1]) + 1
            with torch.autocast(self.device.type, self.dtype, enabled=self.autocasts):
                answer = self.call(self.module, states[start:end], times[start:end], samples[start:end])
            return answer.sample if hasattr(answer, "sample") and not isinstance(answer, Tensor) else answer

        return in_pieces(evaluate, len(x), self.pieces).float().cpu().numpy()


def seeds(generator: Any, count: int) -> Any:
    """Drawn from a caller's generator, or generators, which a further call finds moved on, as after its own loop."""
    def drawn(source: torch.Generator | None) -> int:
        device = "cpu" if source is None else source.device
        return int(torch.randint(2**62, (1,), generator=source, device=device))

    if isinstance(generator, list):
        return [drawn(one) for one in generator] if len(generator) == count else drawn(generator[0])
    return drawn(generator)
