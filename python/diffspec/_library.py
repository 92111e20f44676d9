"""The C library: where it is, and its functions with their types (see `Sources/CInterface/diffspec.h`)."""

import ctypes
import json
import os
from collections.abc import Mapping
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

FINISHED, UNFINISHED, FAILED, STOPPED, CANCELLED = 0, 1, -1, -2, -3
# Pointers come as addresses, of which views are made only when they are looked at.
PREDICT = ctypes.CFUNCTYPE(c_int32, c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)
ERROR = POINTER(c_void_p)

_SIGNATURES = {
    "diffspec_version": (c_void_p, ()),
    "diffspec_free": (None, (c_void_p,)),
    "diffspec_sampler_create": (c_void_p, (c_char_p, PREDICT, c_void_p, PREDICT, c_void_p, c_void_p, ERROR)),
    "diffspec_sampler_step": (c_int32, (c_void_p, ERROR)),
    "diffspec_sampler_cancel": (None, (c_void_p,)),
    "diffspec_sampler_progress": (c_int32, (c_void_p, POINTER(c_int64), POINTER(c_int64), ERROR)),
    "diffspec_sampler_samples": (c_int32, (c_void_p, c_void_p, ERROR)),
    "diffspec_sampler_report": (c_void_p, (c_void_p, ERROR)),
    "diffspec_sampler_destroy": (None, (c_void_p,)),
    "diffspec_noise": (None, (c_uint64, c_int64, c_int32, c_int64, c_void_p)),
    "diffspec_couple": (c_int32, (c_char_p, c_int64, c_void_p, c_int64, c_int64, c_void_p, c_void_p, c_uint64, c_int64,
                                  POINTER(c_int64), POINTER(c_int64), POINTER(c_int32), ERROR)),
    "diffspec_model_open": (c_void_p, (c_char_p, ERROR)),
    "diffspec_model_describe": (c_void_p, (c_void_p, ERROR)),
    "diffspec_model_predict": (c_int32, (c_void_p, c_int64, c_void_p, c_void_p, c_void_p, c_int32, c_void_p, ERROR)),
    "diffspec_model_sampler": (c_void_p, (c_void_p, c_char_p, c_int32, ERROR)),
    "diffspec_model_close": (None, (c_void_p,)),
}


class DiffSpecError(ValueError):
    """A setting, a model or a network's answer that cannot be used; its text says which, and what to do."""


@cache
def library() -> ctypes.CDLL:
    """Loads the library when it is first needed: the one that `DIFFSPEC_LIBRARY` names, or the package's own."""
    path = os.environ.get("DIFFSPEC_LIBRARY") or str(Path(__file__).parent / "lib" / "libdiffspec.so")
    try:
        loaded = ctypes.CDLL(path)
    except OSError as error:
        raise ImportError(
            f"diffspec's library cannot be loaded: {error}. Install the package with `pip install ./python`, or set "
            "DIFFSPEC_LIBRARY to a built libdiffspecc.so") from error
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(loaded, name)
        function.restype, function.argtypes = result, arguments
    return loaded


def text(pointer: int | None) -> str:
    """The text that a function made, which is then freed."""
    if not pointer:
        return ""
    try:
        return ctypes.string_at(pointer).decode("utf-8", "replace")
    finally:
        library().diffspec_free(pointer)


def call(name: str, *arguments: object) -> int | None:
    """Calls a function that can fail.

    Raises:
        DiffSpecError: with the library's text, if it failed. A run that was stopped by its network's function or
            cancelled is told by the status alone.
    """
    error = c_void_p()
    result = getattr(library(), name)(*arguments, byref(error))
    message = text(error.value)
    if result is None or result == FAILED:
        raise DiffSpecError(message)
    return result


def encoded(recipe: Mapping[str, Any]) -> bytes:
    """A recipe as the library takes it, without the settings that are None."""
    def plain(value: Any) -> Any:
        array = np.asarray(value)  # NumPy's own numbers and arrays, which json does not know
        if array.dtype.kind not in "fiub":
            raise TypeError(f"a setting of type {type(value).__name__} cannot be used")
        return array.tolist()

    given = {key: value for key, value in recipe.items() if value is not None}
    return json.dumps(given, default=plain).encode()


def version() -> str:
    """Of the library."""
    return text(library().diffspec_version())

