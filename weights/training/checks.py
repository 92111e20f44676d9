"""What several tests ask of a training run and of a model folder."""

from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from trainer import Trainer


def run_to_the_end(run: Trainer, folder: Path) -> None:
    """The whole run, silently."""
    run.run(folder, lambda _: None, Event())


def resumed_equals_unbroken(make: Callable[[], Trainer], folder: Path) -> None:
    """A run that is stopped after 33 steps and resumed in another process has the same weights at its end."""
    unbroken, first, second = make(), make(), make()
    run_to_the_end(unbroken, folder / "unbroken")
    for _ in range(33):
        first.train_step()
    first.save(folder / "resumed")
    second.resume(folder / "resumed")
    run_to_the_end(second, folder / "resumed")
    assert second.step == unbroken.step > 33
    for name, tensor in unbroken.average.items():
        assert torch.equal(tensor, second.average[name]), name


def other_settings_are_refused(run: Trainer, other: Trainer, folder: Path, setting: str) -> None:
    """`other` does not resume what `run` saved, and says that `setting` is why."""
    run.save(folder)
    with pytest.raises(ValueError, match=f"other settings: .*{setting}"):
        other.resume(folder)


def minutes_end_the_run(run: Trainer) -> None:
    """A run of two minutes at most has done three quarters of it after a minute and a half, however slow its steps."""
    run.seconds = 90
    assert run.progress == 0.75
    run.seconds = 120
    assert run.progress == 1


def golden_case(network: nn.Module, folder: Path, tolerance: float) -> None:
    """The network gives the folder's golden outputs, to `tolerance` standard deviations."""
    case = load_file(folder / "case.safetensors")
    condition = case["global_cond" if "global_cond" in case else "class_labels"]
    with torch.no_grad():
        output = network(case["sample"], case["timestep"], condition)
    assert (output - case["output"]).abs().max() <= tolerance * case["output"].std()
