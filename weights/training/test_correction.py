"""Quick tests of the corrected draft's training: `python -m pytest weights/training`."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import process
from train_correction import COLUMNS, Examples, predicted, rejection

NULL_LABEL = 10


def some_rows(count: int = 6) -> Examples:
    """Every other row has no source."""
    generator = torch.Generator().manual_seed(3)
    examples = torch.randn(count, 5, 1, 4, 4, generator=generator)
    time = torch.linspace(0.2, 0.8, count)
    known = torch.arange(count) % 2 == 0
    examples[~known, 1:3] = 0
    columns = {"time": time, "source_time": torch.where(known, time + 0.1, -torch.ones(count)),
               "weight": torch.full((count,), 0.5), "label": torch.arange(count).float() - 1,
               "sample": torch.arange(count).float()}
    return Examples(examples, columns)


def test_without_a_correction_the_guess_stays() -> None:
    rows = some_rows()
    guess = predicted(lambda inputs, time, labels: torch.zeros_like(inputs[:, :1]), rows, NULL_LABEL)
    assert torch.equal(guess, rows.examples[:, 3])


def test_the_network_is_told_what_diffspec_tells_it() -> None:
    """From the channels a network can form the state: x_t = α a + σ n; and what is unknown is zero."""
    rows = some_rows()
    state, moved, source_state, answer, _ = rows.examples.unbind(1)
    time, source_time = rows.columns["time"], rows.columns["source_time"]
    alpha, sigma = process.interpolant(time)

    def network(inputs: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        a, noise, shift, fresh, gap = inputs.split(1, dim=1)
        assert torch.allclose(alpha * a + sigma * noise, state, atol=1e-5)
        assert not shift[1::2].any()
        assert not fresh[1::2].any()
        source_alpha, source_sigma = process.interpolant(source_time[::2])
        assert torch.allclose(shift[::2] * source_sigma / 4, (moved - source_state)[::2], atol=1e-5)
        assert torch.allclose(source_alpha * a[::2] + source_sigma * (noise - fresh / 4)[::2], moved[::2], atol=1e-5)
        assert torch.allclose(gap[::2], torch.tensor(0.5))
        assert torch.allclose(gap[1::2, 0, 0, 0], 5 * (1 - time[1::2]))
        assert torch.equal(times, process.TIME_SCALE * time)
        assert labels.tolist() == [NULL_LABEL, 0, 1, 2, 3, 4]
        return torch.ones_like(a)

    assert torch.allclose(predicted(network, rows, NULL_LABEL), answer + sigma)


def test_rejection_is_that_of_maximal_coupling() -> None:
    """`2Φ(‖Δ‖/2) - 1`, and `‖Δ‖` the weighted error."""
    rows = some_rows(1)
    error = torch.zeros_like(rows.examples[:, 4])
    error[0, 0, 1, 2] = 3.0
    distance, probability = rejection(rows, rows.examples[:, 4] + error)
    assert distance.item() == pytest.approx(1.5)
    assert probability.item() == pytest.approx(2 * 0.5 * (1 + math.erf(0.75 / math.sqrt(2))) - 1)


def test_no_sample_is_in_both_parts(tmp_path: Path) -> None:
    """Nor in files of one seed and different lengths."""
    paths = []
    for count, per_sample in ((120, 2), (60, 1)):
        rows = some_rows(count)
        rows.columns["sample"] = (torch.arange(count) // per_sample).float()
        paths.append(tmp_path / f"{count}.safetensors")
        save_file({"examples": rows.examples, **{name: rows.columns[name] for name in COLUMNS}}, paths[-1])
    train, validation = Examples.load(paths)
    assert len(train) + len(validation) == 180
    assert len(validation) > 0
    assert not set(train.columns["sample"].tolist()) & set(validation.columns["sample"].tolist())
