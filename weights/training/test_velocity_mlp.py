"""Quick tests of the mixtures' networks: `python -m pytest weights/training`."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

import checks
import model_folder
import process
import train_velocity_mlp
from train_velocity_mlp import Mixture, VelocityTrainer, relative_error
from trainer import Pace
from velocity_mlp import VelocityMLP, VelocityMLPConfig, draft_config, target_config

BUNDLED = Path(__file__).parent.parent
CONTENT = {"seed": 7, "components": [
    {"weight": 1, "mean": [-1.0, 0.5], "standard_deviation": 0.1},
    {"weight": 3, "mean": [1.5, 1.0], "standard_deviation": 0.2},
]}
TINY = VelocityMLPConfig(dimension=2, num_class_embeds=2, embedding_dim=16, preprocessing=(16, 16),
                         postprocessing=(16,))
PACE = Pace(batch=64, learning_rate=1e-2, warmup_steps=5, ema_decay=0.9)


def trainer(pace: Pace = PACE) -> VelocityTrainer:
    return VelocityTrainer(TINY, Mixture.from_json(CONTENT), steps=150, pace=pace)


def test_shapes_of_the_published_networks() -> None:
    target, draft = VelocityMLP(target_config(32, 16)), VelocityMLP(draft_config(32, 16))
    shapes = {name: tuple(tensor.shape) for name, tensor in target.state_dict().items()}
    assert shapes["condition_layers.0.weight"] == (64, 1024)
    assert [shapes[f"state_layers.{i}.weight"] for i in range(3)] == [(64, 32), (64, 64), (128, 64)]
    assert [shapes[f"joint_layers.{i}.weight"] for i in range(3)] == [(128, 256), (64, 128), (64, 64)]
    assert shapes["output.weight"] == (32, 64)
    assert draft.state_dict()["joint_layers.0.weight"].shape == (4, 8)
    assert draft.state_dict()["output.weight"].shape == (32, 4)


def test_draws_follow_the_mixture() -> None:
    data, labels = Mixture.from_json(CONTENT).draw(40_000, torch.Generator().manual_seed(0))
    second = labels == 1
    assert abs(second.double().mean().item() - 0.75) < 0.009  # four standard errors of 0.0022
    assert (data[second].mean(dim=0) - torch.tensor([1.5, 1.0])).abs().max() < 0.005
    assert (data[~second] - torch.tensor([-1.0, 0.5])).std().item() == pytest.approx(0.1, abs=0.003)


def test_exact_velocity_is_the_conditional_mean() -> None:
    """What is left of the velocity after the exact one is uncorrelated with the state: as for any conditional mean."""
    mixture = Mixture.from_json(CONTENT)
    generator = torch.Generator().manual_seed(1)
    data, labels = mixture.draw(200_000, generator)
    time = torch.full((len(data),), 0.4)
    noise = torch.randn(data.shape, generator=generator)
    alpha, sigma = train_velocity_mlp.factors(time)
    x = alpha * data + sigma * noise
    rest = train_velocity_mlp.velocity_of(data, noise, alpha, sigma) - mixture.velocity(x, time, labels)
    centred = x - alpha * mixture.means[labels]
    # Both deviate by less than 1: four standard errors of 1/√200,000.
    assert rest.mean(dim=0).abs().max() < 0.009
    assert (rest * centred).mean(dim=0).abs().max() < 0.009


def test_loss_falls_and_the_folder_is_whole(tmp_path: Path) -> None:
    run = trainer()
    mixture = run.mixture
    before = relative_error(run.network, mixture)
    checks.run_to_the_end(run, tmp_path)
    saved = train_velocity_mlp.load(tmp_path)
    assert relative_error(saved, mixture) < 0.3 * before
    assert model_folder.read_json(tmp_path / "mixture.json") == CONTENT
    assert load_file(tmp_path / model_folder.WEIGHTS)["output.weight"].dtype == torch.bfloat16
    checks.golden_case(saved, tmp_path, tolerance=0)


def test_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    checks.resumed_equals_unbroken(trainer, tmp_path)
    checks.other_settings_are_refused(trainer(), trainer(replace(PACE, batch=8)), tmp_path, "batch 64, now 8")


def test_wrong_mixtures_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "mixture.json"
    for content in ("[1]", "nothing", '{"components": [{"weight": 1, "mean": [0.5]}]}'):
        path.write_text(content)
        with pytest.raises(ValueError, match="mixture.json: expected `components`"):
            Mixture.read(path)


def test_rows_may_share_their_times() -> None:
    network = VelocityMLP(TINY).eval()
    x, labels = torch.randn(6, 2), torch.tensor([0, 1, 0, 1, 0, 1])
    time = torch.tensor([10.0, 700.0])

    def run(times: Tensor) -> Tensor:
        with torch.no_grad():
            return network(x, times, labels)

    assert torch.allclose(run(time), run(time.repeat_interleave(3)), atol=1e-6)


@pytest.mark.parametrize(("name", "most"), [
    ("mixture-2", 0.01), ("mixture-2-draft", 0.2), ("mixture-32", 0.15), ("mixture-32-draft", 0.75),
])
def test_bundled_networks(name: str, most: float) -> None:
    folder = BUNDLED / name
    network = train_velocity_mlp.load(folder)
    checks.golden_case(network, folder, tolerance=1e-5)
    mixture = Mixture.from_json(model_folder.read_json(folder / "mixture.json"))
    assert relative_error(network, mixture) < most
    assert model_folder.read_json(folder / "process.json")["time_scale"] == process.TIME_SCALE
