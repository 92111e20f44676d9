"""Quick tests of the policy's training scripts: `python -m pytest weights/training` (seconds on one core)."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import checks
import ddpm
import policy_folder
import pusht_data
import serve_policy
from conditional_unet1d import ConditionalUnet1D, ConditionalUnet1DConfig, convolved, upsampled
from pusht_data import Demonstrations, Range
from train_policy import PACE, PolicyTrainer, Recipe

torch.set_num_threads(1)
BUNDLED = Path(__file__).parent.parent / "pusht"
TINY = ConditionalUnet1DConfig(down_dims=(8, 16), diffusion_step_embed_dim=16, kernel_size=3, n_groups=4)
TINY_RECIPE = Recipe(network=TINY, epochs=30, pace=replace(PACE, batch=16, learning_rate=3e-3, warmup_steps=5))


def demonstrations(path: Path, lengths: tuple[int, ...] = (20, 40)) -> Demonstrations:
    """Episodes in which the agent goes to where the block is."""
    generator = np.random.default_rng(0)
    state = generator.uniform(0, 500, (sum(lengths), 5)).astype(np.float32)
    np.savez(path, state=state, action=state[:, 2:4], episode_ends=np.cumsum(lengths))
    return pusht_data.load(path)


def trainer(data: Demonstrations, minutes: float | None = None, recipe: Recipe = TINY_RECIPE) -> PolicyTrainer:
    return PolicyTrainer(recipe, data, minutes=minutes)


# The network


@pytest.mark.parametrize(("size", "stride", "padding"), [(1, 1, 0), (3, 2, 1), (5, 1, 2)])
def test_convolution_equals_the_layer(size: int, stride: int, padding: int) -> None:
    torch.manual_seed(0)
    layer, x = nn.Conv1d(6, 4, size, stride, padding), torch.randn(3, 6, 8)
    torch.testing.assert_close(convolved(x.movedim(1, 2), layer).movedim(1, 2), layer(x), atol=1e-5, rtol=1e-5)


def test_upsampling_equals_the_layer() -> None:
    torch.manual_seed(0)
    layer, x = nn.ConvTranspose1d(6, 5, 4, 2, 1), torch.randn(3, 6, 8)
    torch.testing.assert_close(upsampled(x.movedim(1, 2), layer).movedim(1, 2), layer(x), atol=1e-5, rtol=1e-5)


def test_published_names() -> None:
    """One of each kind of name of the public implementation, with its shape, at the published size."""
    with torch.device("meta"):
        shapes = {name: tuple(tensor.shape)
                  for name, tensor in ConditionalUnet1D(ConditionalUnet1DConfig()).state_dict().items()}
    assert shapes["diffusion_step_encoder.1.weight"] == (1024, 256)
    assert shapes["diffusion_step_encoder.3.bias"] == (256,)
    assert shapes["down_modules.0.0.residual_conv.weight"] == (256, 2, 1)
    assert shapes["down_modules.1.2.conv.weight"] == (512, 512, 3)
    assert shapes["mid_modules.1.cond_encoder.1.weight"] == (2048, 266)
    assert shapes["up_modules.0.0.blocks.0.block.0.weight"] == (512, 2048, 5)
    assert shapes["up_modules.1.2.conv.weight"] == (256, 256, 4)
    assert shapes["final_conv.0.block.1.weight"] == (256,)
    assert shapes["final_conv.1.weight"] == (2, 256, 1)
    assert not any(name.startswith(("up_modules.2", "down_modules.2.2")) for name in shapes)
    assert 65e6 < sum(np.prod(shape) for shape in shapes.values()) < 66e6  # the published policy's


def test_configuration_is_read_back() -> None:
    config = replace(TINY, cond_predict_scale=False)
    assert ConditionalUnet1DConfig.from_json(json.loads(json.dumps(config.as_json()))) == config
    with pytest.raises(ValueError, match="UNet2DModel"):
        ConditionalUnet1DConfig.from_json({"_class_name": "UNet2DModel"})


# Diffusion


@pytest.mark.parametrize("steps", [100, 80, 20, 5])
def test_sampling_equals_diffusers(steps: int) -> None:
    """The chain, with a network that is a plain function, against diffusers' scheduler given the same noise."""
    diffusers = pytest.importorskip("diffusers")
    scheduler = diffusers.DDPMScheduler.from_config(ddpm.description())
    torch.testing.assert_close(scheduler.alphas_cumprod, ddpm.cumulative_alphas().float(), atol=1e-6, rtol=0)
    scheduler.set_timesteps(timesteps=ddpm.timesteps(steps))
    noise = torch.randn(steps, 2, 16, 2, generator=torch.Generator().manual_seed(0))

    def network(x: torch.Tensor, time: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
        return torch.sin(3 * x) + time[:, None, None] / 100

    x = noise[0]
    rest = iter([*noise[1:], torch.zeros(2, 16, 2)])  # diffusers asks for noise at the last step, of no variance
    scheduler_module = __import__("diffusers.schedulers.scheduling_ddpm", fromlist=["randn_tensor"])
    original, scheduler_module.randn_tensor = scheduler_module.randn_tensor, lambda *_, **__: next(rest)
    try:
        for time in scheduler.timesteps:
            x = scheduler.step(network(x, time.expand(2), x), time, x).prev_sample
    finally:
        scheduler_module.randn_tensor = original
    # F32 round-off over the steps; a wrong coefficient shows above 1e-2.
    torch.testing.assert_close(ddpm.sample(network, noise, noise), x, atol=2e-4, rtol=0)


# Data


def test_windows_reach_over_the_ends() -> None:
    times = pusht_data.windows(20)
    assert len(times) == 20 - 16 + 1 + 1 + 7
    assert times[0].tolist() == [0, *range(15)]
    assert times[1].tolist() == list(range(16))
    assert times[-1].tolist() == [*range(11, 20), *[19] * 7]


def test_examples_stay_in_their_episode(tmp_path: Path) -> None:
    data = demonstrations(tmp_path / "data.npz")
    assert len(data) == (20 - 7) + (40 - 7)
    states = data.observation_range.unscaled(data.conditions.unflatten(1, (2, 5)))
    actions = data.action_range.unscaled(data.actions)
    # The agent's goal is where the block is, so an example's first two actions show its two observations.
    torch.testing.assert_close(actions[:, :2], states[:, :, 2:4], atol=1e-3, rtol=0)
    assert torch.equal(data.conditions[13, :5], data.conditions[13, 5:])  # the second episode's first example
    for scaled in (data.conditions, data.actions):
        assert scaled.min() == -1
        assert scaled.max() == 1


def test_wrong_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", state=np.zeros((3, 5)))
    with pytest.raises(ValueError, match="action, episode_ends"):
        pusht_data.load(tmp_path / "other.npz")
    np.savez(tmp_path / "short.npz", state=np.zeros((3, 5)), action=np.zeros((3, 2)), episode_ends=[4])
    with pytest.raises(ValueError, match="do not fit"):
        pusht_data.load(tmp_path / "short.npz")


# Training


def test_training_learns_and_saves(tmp_path: Path) -> None:
    data = demonstrations(tmp_path / "data.npz")
    run = trainer(data, recipe=replace(TINY_RECIPE, epochs=100))
    first = ddpm.prediction_loss(run.network, data.actions, data.conditions, torch.Generator().manual_seed(0)).item()
    checks.run_to_the_end(run, tmp_path)
    saved = policy_folder.load(tmp_path)
    last = ddpm.prediction_loss(saved, data.actions, data.conditions, torch.Generator().manual_seed(0)).item()
    assert last < 0.5 * first
    checks.golden_case(saved, tmp_path, tolerance=0)
    observations, actions = policy_folder.load_ranges(tmp_path)
    assert torch.equal(observations.maximum, data.observation_range.maximum)
    assert torch.equal(actions.minimum, data.action_range.minimum)


def test_resumed_run_is_the_same(tmp_path: Path) -> None:
    data = demonstrations(tmp_path / "data.npz")
    checks.resumed_equals_unbroken(lambda: trainer(data), tmp_path)


def test_resuming_another_run_is_refused(tmp_path: Path) -> None:
    data = demonstrations(tmp_path / "data.npz")
    other = trainer(data, recipe=replace(TINY_RECIPE, pace=replace(PACE, batch=8)))
    checks.other_settings_are_refused(trainer(data), other, tmp_path, "pace")


def test_minutes_end_the_run(tmp_path: Path) -> None:
    checks.minutes_end_the_run(trainer(demonstrations(tmp_path / "data.npz"), minutes=2))
    assert PACE.rate(1000, 0.5) == pytest.approx(2.5e-4)
    assert PACE.rate(1000, 1) == pytest.approx(0)


def test_average_follows_the_published_power() -> None:
    assert PACE.decay(1) == 0
    assert PACE.decay(16) == 0.875  # 1 - 16^-3/4
    assert PACE.decay(10**9) == 0.9999


# The server


@pytest.fixture
def server(tmp_path: Path) -> serve_policy.Server:
    run = trainer(demonstrations(tmp_path / "data.npz"))
    run.save_model(tmp_path)
    return serve_policy.Server(tmp_path, steps=4)


def test_a_plan_does_not_depend_on_its_neighbours(server: serve_policy.Server) -> None:
    observations = np.random.default_rng(1).uniform(0, 500, (3, 2, 5)).tolist()
    together = server.answer({"observation": observations, "seed": [3, 1, 2]})
    alone = server.answer({"observation": observations[1], "seed": 1})
    np.testing.assert_allclose(together["actions"][1], alone["actions"], atol=1e-2)
    assert np.shape(together["actions"]) == (3, 16, 2)
    assert together["nfe"] == [4, 4, 4]
    assert alone["nfe"] == alone["evaluations"] == 4


def test_bad_lines_are_answered(server: serve_policy.Server) -> None:
    lines = ['{"seed": 1}', "nonsense", '{"observation": [[1, 2], [3]], "seed": 0}',
             '{"observation": [[0, 0, 0, 0, 0], [1, 1, 1, 1, 1]]}']
    answers = io.StringIO()
    serve_policy.serve(server, io.StringIO("\n".join(lines)), answers)
    kinds = ["error" in json.loads(line) for line in answers.getvalue().splitlines()]
    assert kinds == [True, True, True, False]


# The bundled policy


@pytest.mark.skipif(not BUNDLED.exists(), reason="not there")
def test_bundled_policy_is_complete() -> None:
    checks.golden_case(policy_folder.load(BUNDLED), BUNDLED, tolerance=1e-4)
    assert policy_folder.read_json(BUNDLED / "scheduler_config.json") == ddpm.description()
    observations, actions = policy_folder.load_ranges(BUNDLED)
    assert isinstance(observations, Range)
    assert (observations.minimum < observations.maximum).all()
    assert (actions.minimum < actions.maximum).all()
