"""diffusers pipelines that sample speculatively."""

from __future__ import annotations

from collections.abc import Mapping
from types import MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ._result import Result
from .sampling import sample
from .schedule import Schedule
from .torch import Pieces, in_pieces, seeds

_PIPELINES = ("DDPMPipeline", "StableDiffusionPipeline", "StableDiffusionXLPipeline")
_SCHEDULERS = ("DDPMScheduler", "EulerAncestralDiscreteScheduler")
# What a step of the pipeline's own loop would do and ours does not.
_REFUSED = {"timesteps": None, "sigmas": None, "eta": 0.0, "guidance_rescale": 0.0, "callback_on_step_end": None,
            "callback": None, "ip_adapter_image": None, "ip_adapter_image_embeds": None, "denoising_end": None}


def accelerate(pipeline: Any, window: int | str = 20, draft: str = "recycled", *, max_rows: int | None = None,
               **settings: Any) -> Accelerated:
    """The pipeline with its denoising loop replaced: called as before, it returns the same kind of output with the same
    law, in fewer sequential calls of its network.

    Args:
        pipeline: a `DDPMPipeline`, `StableDiffusionPipeline` or `StableDiffusionXLPipeline` with a `DDPMScheduler` or an
            `EulerAncestralDiscreteScheduler`. Schedulers without noise in their steps have nothing to couple.
        window: as for `diffspec.sample`; so are draft and the settings (rule, fallback, progress).
        max_rows: rows of one call of the network at most.

    Raises:
        TypeError: for another pipeline or scheduler.
    """
    kind, scheduler = type(pipeline).__name__, type(pipeline.scheduler).__name__
    if kind not in _PIPELINES:
        raise TypeError(f"{kind} cannot be accelerated: expected {' or '.join(_PIPELINES)}")
    if scheduler not in _SCHEDULERS:
        raise TypeError(
            f"{scheduler} cannot be accelerated: expected {' or '.join(_SCHEDULERS)}, whose steps add noise; set "
            "pipeline.scheduler = DDPMScheduler.from_config(pipeline.scheduler.config)")
    return Accelerated(pipeline, {"window": window, "draft": draft, **settings}, Pieces(max_rows))


class Accelerated:
    """A pipeline whose calls sample speculatively; all else is the pipeline's.

    `last` is the result of the last call: `last.nfe`, `last.report` …; its samples are the latents.
    """

    def __init__(self, pipeline: Any, settings: dict[str, Any], pieces: Pieces) -> None:
        self.pipeline, self.settings, self.pieces = pipeline, settings, pieces
        self.last: Result | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pipeline, name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        for name, usual in _REFUSED.items():
            if options.get(name, usual) != usual:
                raise ValueError(f"{name} is not supported in speculative sampling; leave it away")
        pipeline, own = self.pipeline, self.pipeline.scheduler
        network = pipeline.unet
        capture = _Capture(network)
        pipeline.scheduler = _one_step(own, lambda *found: self._sample(own, network, capture, *found))
        try:
            with capture:
                return pipeline(*arguments, **options)
        finally:
            pipeline.scheduler = own

    def _sample(self, scheduler: Any, network: torch.nn.Module, capture: _Capture, steps: int, latents: Tensor,
                generator: Any) -> Tensor:
        """The whole loop, in the place of its first step: `latents` are where it starts."""
        count = len(latents)
        scale = getattr(self.pipeline, "guidance_scale", 1.0)
        # With guidance the pipeline asks for the rows without the prompt first, then for those with it.
        is_guided = capture.rows == 2 * count
        scheduler = type(scheduler).from_config(scheduler.config)

        @torch.inference_mode()
        def denoiser(x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
            states = torch.from_numpy(x).to(latents.device, latents.dtype)
            times = torch.from_numpy(t).to(latents.device)
            times = times.long() if np.all(t == np.round(t)) else times.float()
            samples = torch.from_numpy(index).to(latents.device)

            def evaluate(rows: Tensor) -> Tensor:
                y, time, of = states[rows], times[rows], samples[rows]
                if not is_guided:
                    return capture.call(y, time, of)
                without, with_prompt = capture.call(torch.cat([y, y]), torch.cat([time, time]),
                                                    torch.cat([of, count + of])).chunk(2)
                return without + scale * (with_prompt - without)

            return in_pieces(evaluate, len(x), self.pieces).float().cpu().numpy()

        self.last = sample(
            denoiser, latents.shape[1:], steps=steps, schedule=Schedule.from_diffusers(scheduler, steps),
            count=count, seed=seeds(generator, count),
            initial=latents.float().cpu().numpy(), name=type(network).__name__, **self.settings)
        return torch.from_numpy(self.last.samples).to(latents.device, latents.dtype)


class _Capture:
    """Notes with what inputs beside states and times a pipeline calls its network, which meanwhile returns zeros."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network, self.own = network, network.forward
        self.rows = 0
        self.options: dict[str, Any] = {}

    def __enter__(self) -> _Capture:
        def forward(_: Any, states: Tensor, time: Any, *further: Any, return_dict: bool = True, **options: Any) -> Any:
            self.rows = len(states)
            names = ("encoder_hidden_states", "class_labels")
            self.options = dict(zip(names, further, strict=False)) | options
            zeros = torch.zeros_like(states[:, :self.network.config.out_channels])
            return _Sample(zeros) if return_dict else (zeros,)

        self.network.forward = MethodType(forward, self.network)
        return self

    def __exit__(self, *_: object) -> None:
        del self.network.forward

    def call(self, states: Tensor, times: Tensor, rows: Tensor) -> Tensor:
        """The network's answer, with the inputs of the rows of the pipeline's call."""
        def chosen(value: Any) -> Any:
            if isinstance(value, Tensor) and value.ndim and len(value) == self.rows:
                return value[rows]
            return {key: chosen(one) for key, one in value.items()} if isinstance(value, Mapping) else value

        return self.own(states, times, **{k: chosen(v) for k, v in self.options.items()}, return_dict=False)[0]


class _Sample:
    def __init__(self, sample: Tensor) -> None:
        self.sample = sample


def _one_step(scheduler: Any, whole_loop: Any) -> Any:
    """The scheduler with one step alone, which runs the whole loop."""
    class OneStep(type(scheduler)):  # type: ignore[misc]
        def set_timesteps(self, num_inference_steps: int | None = None, *arguments: Any, **options: Any) -> None:
            super().set_timesteps(num_inference_steps, *arguments, **options)
            self.whole = len(self.timesteps)
            self.timesteps = self.timesteps[:1]

        def step(self, model_output: Tensor, timestep: Any, sample: Tensor, generator: Any = None,
                 return_dict: bool = True) -> Any:
            finished = whole_loop(self.whole, sample, generator)
            return _Step(finished) if return_dict else (finished,)

    OneStep.__name__ = type(scheduler).__name__
    return OneStep.from_config(scheduler.config)


class _Step:
    def __init__(self, prev_sample: Tensor) -> None:
        self.prev_sample = prev_sample
