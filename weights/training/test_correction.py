"""Quick tests of the corrected draft's training: `python -m pytest weights/training`."""

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import checks
import model_folder
import process
from train_correction import COLUMNS, CorrectionTrainer, Examples, evaluate, predicted, rejection
from trainer import Pace
from unet2d import UNetConfig

torch.set_num_threads(1)
BUNDLED = Path(__file__).parent.parent
NULL_LABEL = 10
PACE = Pace(batch=16, learning_rate=1e-2, warmup_steps=5, ema_decay=0.9)
TARGET = UNetConfig(image_size=4, image_channels=1, channels=(8,), layers=1, attention_levels=(), head_dim=8,
                    norm_groups=4, class_embeddings=NULL_LABEL + 1)


def some_rows(count: int = 6, seed: int = 3) -> Examples:
    """Every other row has no source."""
    generator = torch.Generator().manual_seed(seed)
    examples = torch.randn(count, 5, 1, 4, 4, generator=generator)
    time = torch.linspace(0.2, 0.8, count)
    known = torch.arange(count) % 2 == 0
    examples[~known, 1:3] = 0
    columns = {"time": time, "source_time": torch.where(known, time + 0.1, -torch.ones(count)),
               "weight": torch.full((count,), 0.5), "label": torch.arange(count) % 11 - 1.0,
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


def trainer(folder: Path, channels: tuple[int, ...] = (8,), steps: int = 120) -> CorrectionTrainer:
    """A run whose target answers less than the guess by 0.3 of the noise: a correction that can be learnt."""
    folder.mkdir(exist_ok=True)
    model_folder.write_json(folder / "config.json", TARGET.as_diffusers())
    model_folder.write_json(folder / "process.json", process.description((1, 4, 4), tuple("abcdefghij")))
    parts = []
    for count, seed in ((80, 4), (20, 5)):
        rows = some_rows(count, seed)
        _, sigma = process.interpolant(rows.columns["time"])
        rows.examples[:, 4] = rows.examples[:, 3] - 0.3 * sigma
        parts.append(rows)
    run = CorrectionTrainer(folder, channels, PACE, *parts)
    run.steps = steps
    return run


def test_the_network_learns_what_the_guess_lacks(tmp_path: Path) -> None:
    run = trainer(tmp_path / "target")
    checks.run_to_the_end(run, tmp_path / "run")
    saved = model_folder.load(tmp_path / "run")
    corrected, recycled = evaluate(saved, run.validation, NULL_LABEL)
    assert corrected < 0.5 * recycled
    checks.golden_case(saved, tmp_path / "run", tolerance=0)
    assert model_folder.read_json(tmp_path / "run" / "process.json")["prediction"] == "correction"
    case = load_file(tmp_path / "run" / "correction-case.safetensors")
    assert (case["source_time"] < 0).tolist() == [False, False, True]
    assert [row["step"] for row in run.history] == [50, 100, 120]
    assert run.history[-1]["rejection"] < run.history[0]["rejection"]


def test_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    checks.resumed_equals_unbroken(lambda: trainer(tmp_path / "target", steps=60), tmp_path)


def test_resuming_another_run_is_refused(tmp_path: Path) -> None:
    run, other = trainer(tmp_path / "target"), trainer(tmp_path / "target", channels=(16,))
    checks.other_settings_are_refused(run, other, tmp_path / "run", "channels")


def test_bundled_correction_gives_its_golden_outputs() -> None:
    folder = BUNDLED / "fashion-mnist-correction"
    network = model_folder.load(folder)
    checks.golden_case(network, folder, tolerance=1e-5)
    case = load_file(folder / "correction-case.safetensors")
    output = case["output"]
    examples = [case[name] for name in ("state", "moved_state", "source_state", "answer")]
    rows = Examples(torch.stack([*examples, torch.zeros_like(output)], dim=1), case)
    with torch.no_grad():
        assert (predicted(network, rows, NULL_LABEL) - output).abs().max() < 1e-5 * output.std()
