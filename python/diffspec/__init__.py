"""Exact sampling of diffusion models in fewer sequential network calls.

    result = diffspec.sample(denoiser, shape=(3, 32, 32), steps=100, window=20, schedule="cosine", prediction="epsilon")
    result.samples, result.nfe.mean

`diffspec.torch`, `diffspec.diffusers` and `diffspec.lerobot` meet those libraries; none of them is needed.
"""

from ._library import DiffSpecError, version
from ._result import Count, Result
from .models import Model, load
from .sampling import langevin, noise, sample
from .schedule import Schedule
from .tokens import Coupled, couple
from .verification import Verification, verify

__all__ = ["Count", "Coupled", "DiffSpecError", "Model", "Result", "Schedule", "Verification", "couple", "langevin", "load",
           "noise", "sample", "verify", "version"]
