"""diffusers' pipelines, and lerobot's policy by a stand-in: in plain mode their own loops on the same noise."""

from types import SimpleNamespace

import numpy as np
import pytest

import diffspec

torch = pytest.importorskip("torch")
diffusers = pytest.importorskip("diffusers")

import diffspec.diffusers  # noqa: E402
import diffspec.lerobot  # noqa: E402
import diffspec.torch  # noqa: E402


def unet():
    torch.manual_seed(0)
    return diffusers.UNet2DModel(
        sample_size=8, in_channels=3, out_channels=3, layers_per_block=1, block_out_channels=(32, 32), norm_num_groups=8,
        down_block_types=("DownBlock2D",) * 2, up_block_types=("UpBlock2D",) * 2).eval()


def pipeline():
    made = diffusers.DDPMPipeline(unet(), diffusers.DDPMScheduler(num_train_timesteps=100))
    made.set_progress_bar_config(disable=True)
    return made


def with_noise(monkeypatch, shape, seed, count):
    """Makes the scheduler draw our noise, step by step."""
    step = iter(range(1000))

    def drawn(*_, **__):
        k = next(step)
        rows = [diffspec.noise(shape, seed=seed, sample=i, step=k) for i in range(count)]
        return torch.from_numpy(np.stack(rows)).float()

    monkeypatch.setattr("diffusers.schedulers.scheduling_ddpm.randn_tensor", drawn)


def test_plain_mode_is_the_pipelines_own_loop(monkeypatch):
    fast = diffspec.diffusers.accelerate(pipeline(), draft="none")
    fast(batch_size=2, num_inference_steps=20, generator=torch.Generator().manual_seed(1), output_type="np")
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, 8, 8, generator=generator)
    with_noise(monkeypatch, (3, 8, 8), diffspec.torch.seeds(generator, 2), 2)
    scheduler = fast.scheduler
    scheduler.set_timesteps(20)
    with torch.no_grad():
        for t in scheduler.timesteps:
            x = scheduler.step(fast.unet(x, t).sample, t, x).prev_sample
    # Single precision, amplified by twenty steps.
    assert np.abs(x.numpy() - fast.last.samples).max() < 1e-3


def test_speculative_pipeline():
    fast = diffspec.diffusers.accelerate(pipeline())
    images = fast(batch_size=2, num_inference_steps=50, generator=torch.Generator().manual_seed(1), output_type="np").images
    assert images.shape == (2, 8, 8, 3) and fast.last.exact and fast.last.nfe.mean < 25
    assert "forward" not in vars(fast.unet) and type(fast.scheduler).__name__ == "DDPMScheduler"
    with pytest.raises(ValueError, match="eta"):
        fast(eta=0.5)


def test_schedulers_without_noise_are_refused():
    with pytest.raises(TypeError, match="DDIMScheduler"):
        diffspec.diffusers.accelerate(diffusers.DDPMPipeline(unet(), diffusers.DDIMScheduler()))


class Plan(torch.nn.Module):
    """The parts of lerobot's DiffusionModel that are used."""

    def __init__(self, scheduler):
        super().__init__()
        self.layer = torch.nn.Linear(2 + 3, 2)
        self.config = SimpleNamespace(horizon=8, action_feature=SimpleNamespace(shape=(2,)))
        self.noise_scheduler, self.num_inference_steps = scheduler, 50

    def conditional_sample(self):
        raise NotImplementedError

    def unet(self, x, t, global_cond):
        return self.layer(torch.cat([x, global_cond[:, None].expand(-1, 8, -1)], dim=2))


def test_lerobot_policy():
    torch.manual_seed(0)
    policy = SimpleNamespace(diffusion=Plan(diffusers.DDPMScheduler(num_train_timesteps=100)))
    diffspec.lerobot.accelerate(policy)
    actions = policy.diffusion.conditional_sample(2, global_cond=torch.randn(2, 3))
    assert actions.shape == (2, 8, 2) and policy.diffusion.last.nfe.mean < 25
    with pytest.raises(TypeError, match="DDIM"):
        diffspec.lerobot.accelerate(SimpleNamespace(diffusion=Plan(diffusers.DDIMScheduler())))


def test_modules_are_cut_into_pieces():
    module, rows = torch.nn.Linear(4, 4).eval(), []
    call = lambda module, x, t, index: (rows.append(len(x)), module(x))[1]  # noqa: E731
    settings = {"shape": (4,), "steps": 10, "count": 3, "prediction": "sample"}
    whole = diffspec.sample(diffspec.torch.Denoiser(module, call=lambda module, x, t, index: module(x)), **settings)
    cut = diffspec.sample(diffspec.torch.Denoiser(module, call=call, max_rows=2), **settings)
    assert max(rows) == 2 and np.allclose(whole.samples, cut.samples, atol=1e-4)
    with pytest.raises(ValueError, match="eval"):
        diffspec.torch.Denoiser(module.train())
