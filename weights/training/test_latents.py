"""Quick tests of the scripts that train a model of latents."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

diffusers = pytest.importorskip("diffusers")

import train_latent_autoencoder
from image_data import ImageSet
from train_latent_autoencoder import AutoencoderTrainer, encoded
from train_latent_model import RECIPE, LatentTrainer, assemble, scaled_latents

torch.set_num_threads(1)


def tiny_data() -> ImageSet:
    generator = torch.Generator().manual_seed(1)
    return ImageSet(torch.randint(256, (160, 3, 32, 32), generator=generator).to(torch.uint8),
                    torch.randint(10, (160,), generator=generator))


@pytest.fixture
def autoencoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one that has seen one batch, saved."""
    monkeypatch.setattr(train_latent_autoencoder, "CHANNELS", (16, 16, 16))
    trainer = AutoencoderTrainer(tiny_data(), seed=0, minutes=None, low_precision=False)
    first = trainer.train_step().item()
    assert 0 < first < 2
    trainer.save_model(tmp_path)
    return tmp_path / "vqvae"


def test_saved_latents_have_a_variance_of_one(autoencoder: Path) -> None:
    network = diffusers.AutoencoderKL.from_pretrained(autoencoder).eval()
    assert encoded(network, torch.zeros(2, 3, 32, 32)).shape == (2, 4, 8, 8)
    # 160 pictures, the very ones that the scale was made of; it is written to five digits.
    assert abs(scaled_latents(network, tiny_data().images).std().item() - 1) < 1e-3


def test_a_mirrored_picture_has_a_latent_of_its_own(autoencoder: Path) -> None:
    network = diffusers.AutoencoderKL.from_pretrained(autoencoder).eval()
    trainer = LatentTrainer(RECIPE, tiny_data(), network)
    rows = torch.tensor([3, 3])
    straight, mirrored = trainer.images(rows, torch.tensor([False, True]))
    expected = scaled_latents(network, torch.stack([tiny_data().images[3], tiny_data().images[3].flip(2)]))
    assert torch.allclose(torch.stack([straight, mirrored]), expected, atol=1e-5)
    assert not torch.allclose(straight, mirrored, atol=1e-2)


def test_assembled_folder_is_what_diffusers_reads(autoencoder: Path, tmp_path: Path) -> None:
    small = replace(RECIPE, network=replace(RECIPE.network, channels=(32, 32)), pace=replace(RECIPE.pace, batch=16))
    network = diffusers.AutoencoderKL.from_pretrained(autoencoder).eval()
    trainer = LatentTrainer(small, tiny_data(), network)
    losses = [trainer.train_step().item() for _ in range(3)]
    assert all(0 < loss < 5 for loss in losses)
    trainer.save(tmp_path / "network")
    (tmp_path / "network" / "loss.csv").write_text("step\n")
    assemble(tmp_path / "model", tmp_path / "network", autoencoder)
    folder = tmp_path / "model"
    unet = diffusers.UNet2DModel.from_pretrained(folder / "unet")
    case = load_file(folder / "unet" / "case.safetensors")
    with torch.no_grad():
        output = unet(case["sample"], case["timestep"], class_labels=case["class_labels"]).sample
    assert (output - case["output"]).abs().max() < 1e-4 * output.std()
    assert diffusers.AutoencoderKL.from_pretrained(folder / "vqvae").config.latent_channels == 4
    assert json.loads((folder / "model_index.json").read_text())["unet"] == ["diffusers", "UNet2DModel"]
    described = json.loads((folder / "process.json").read_text())
    assert described["image"]["channels"] == 4 and described["image"]["height"] == 8
    assert not (folder / "unet" / "checkpoint.pt").exists()
