"""Verification of drafted tokens, for decoders of language models in Python."""

from collections.abc import Sequence
from ctypes import byref, c_int32, c_int64
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _library as lib
from ._callback import as_array


@dataclass(frozen=True)
class Coupled:
    """What came out of a verification.

    Attributes:
        token: the token of the text.
        draft: which of the drafted tokens it is; None if none was taken.
        exact: whether the token has the target's law; False only where global resolution ended early.
    """

    token: int
    draft: int | None
    exact: bool

    @property
    def accepted(self) -> bool:
        return self.draft is not None


def couple(
    target: Any, draft: Any, drafted: Sequence[int], *, rule: str = "specinfer", seed: int = 0, position: int = 0,
    temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None, min_p: float | None = None,
    tolerance: float | None = None, free_tokens: int | None = None, likeliest: int | None = None,
    draft_scheme: str = "independent",
) -> Coupled:
    """Which token comes out, if `drafted` were drawn from `draft`: one of them as often as the rule can, and the target's law.

    A function of its arguments alone: the same seed and position decide the same.

    Args:
        target: the target's logits [vocabulary], an array or a tensor; logarithms of probabilities will do.
        draft: logits [vocabulary] of all drafts, or [drafts, vocabulary] of each.
        drafted: the drafted tokens, drawn from the drafts' laws after temperature and truncation.
        rule: "specinfer", "naive", "kseq", "importance", "importance-truncated", "importance-vocabulary", "hybrid",
            "greedy", "global-resolution", "max-flow", "canonical" or "lp".
        seed: of all randomness.
        position: of the token in its text; the same seed draws other numbers at another position.
        temperature, top_k, top_p, min_p: what is made of the logits, in transformers' order.
        tolerance: τ of global resolution.
        free_tokens, likeliest: s of the truncated importance weights, and the size of the truncated vocabulary.
        draft_scheme: how they were drafted from one law: "independent", "without-replacement", or "greedy" (the likeliest tokens,
            and last one drawn from the others).

    Raises:
        DiffSpecError: for laws that do not fit each other, for a drafted token that its law cannot have drawn, for a problem
            that is too large for the rule.
    """
    scores, laws = (_logits(values, name) for values, name in ((target, "target"), (draft, "draft")))
    tokens = np.ascontiguousarray(drafted, np.int64)
    if scores.ndim != 1 or tokens.ndim != 1:
        raise lib.DiffSpecError(f"target and drafted must be [vocabulary] and [drafts], and are {scores.shape} and {tokens.shape}")
    if laws.shape not in (scores.shape, (len(tokens), len(scores))):
        raise lib.DiffSpecError(f"draft must be {scores.shape} or {(len(tokens), len(scores))}, and is {laws.shape}")
    recipe = {"rule": rule, "temperature": temperature, "top_k": top_k, "top_p": top_p, "min_p": min_p,
              "tolerance": tolerance, "free_tokens": free_tokens, "likeliest": likeliest,
              "draft_scheme": draft_scheme}
    token, taken, exact = c_int64(), c_int64(), c_int32()
    lib.call("diffspec_couple", lib.encoded(recipe), len(scores), scores.ctypes.data, len(tokens),
             1 if laws.ndim == 1 else len(laws), laws.ctypes.data, tokens.ctypes.data, seed, position, byref(token),
             byref(taken), byref(exact))
    return Coupled(token.value, None if taken.value < 0 else taken.value, bool(exact.value))


def _logits(values: Any, name: str) -> np.ndarray:
    array = np.ascontiguousarray(as_array(values, name), np.float32)
    if array.size == 0:
        raise lib.DiffSpecError(f"{name} is empty")
    return array


__all__ = ["Coupled", "couple"]
