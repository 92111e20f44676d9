"""Quick tests of the training scripts: `python -m pytest weights/training` (under a minute on one core)."""

import argparse
import gzip
import struct
from dataclasses import replace
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import checks
import classifier
import frechet
import image_data
import model_folder
import process
import sample_images
import train_classifier
import trainer as runs
from image_data import ImageSet
from resnet20 import Block, ResNet20
from train_image_model import FASHION_MNIST, RECIPES, ImageTrainer, Recipe, evaluation_loss
from trainer import Pace
from unet2d import UNet2D, UNetConfig

torch.set_num_threads(1)
BUNDLED = Path(__file__).parent.parent
TINY = UNetConfig(image_size=8, image_channels=1, channels=(8, 16), layers=1, attention_levels=(1,), head_dim=8,
                  norm_groups=4, class_embeddings=4)
TINY_PACE = Pace(batch=16, learning_rate=3e-3, warmup_steps=5, ema_decay=0.999)
TINY_RECIPE = replace(FASHION_MNIST, network=TINY, epochs=8, pace=TINY_PACE)


def tiny_data(count: int = 160) -> ImageSet:
    """Three classes of 8×8 images: a bright band at the top, in the middle or at the bottom."""
    generator = torch.Generator().manual_seed(1)
    labels = torch.randint(3, (count,), generator=generator)
    rows = torch.arange(8)[:, None].expand(8, 8)
    bright = (rows // 3)[None] == labels[:, None, None]
    dim = torch.randint(40, (count, 8, 8), generator=generator)
    return ImageSet((200 * bright + dim)[:, None].to(torch.uint8), labels)


def randomised(network: nn.Module) -> nn.Module:
    """No parameter at zero or one, so that every term of the network shows in the output."""
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


def trainer(recipe: Recipe = TINY_RECIPE, minutes: float | None = None) -> ImageTrainer:
    return ImageTrainer(recipe, tiny_data(), minutes=minutes)


# The network


@pytest.mark.parametrize("config", [TINY, replace(TINY, layers=2, channels=(8, 16, 24), attention_levels=(0, 2))]
                         + [recipe.network for recipe in RECIPES.values()])
def test_network_equals_diffusers(config: UNetConfig) -> None:
    diffusers = pytest.importorskip("diffusers")
    reference = diffusers.UNet2DModel.from_config(config.as_diffusers())
    randomised(reference)
    network = UNet2D(config).eval()
    network.load_state_dict(reference.state_dict())  # the same names and shapes, none left over
    generator = torch.Generator().manual_seed(3)
    sample = torch.randn(2, config.image_channels, config.image_size, config.image_size, generator=generator)
    time, labels = torch.tensor([0.25, 987.6]), torch.tensor([0, config.class_embeddings - 1])
    with torch.no_grad():
        output = network(sample, time, labels)
        expected = reference(sample, time, class_labels=labels).sample
    # Round-off of some forty layers in two orders of summation: 1e-5 in the deepest. A wrong term shows above 1e-2.
    assert (output - expected).abs().max() < 1e-4 * expected.std()


@pytest.mark.parametrize(("name", "recipe"), [
    ("fashion-mnist", "fashion-mnist"), ("fashion-mnist-draft", "fashion-mnist-draft"), ("cifar10", "cifar10-large"),
    ("cifar10-draft", "cifar10-draft"),
])
def test_bundled_models_give_their_golden_outputs(name: str, recipe: str) -> None:
    checks.golden_case(model_folder.load(BUNDLED / name), BUNDLED / name, tolerance=1e-5)
    recipe = RECIPES[recipe]
    config = model_folder.read_json(BUNDLED / name / "config.json")
    assert recipe.network.as_diffusers() == config
    shape = (recipe.network.image_channels, recipe.network.image_size, recipe.network.image_size)
    described = process.description(shape, image_data.CLASS_NAMES[recipe.dataset])
    assert described == model_folder.read_json(BUNDLED / name / "process.json")
    assert load_file(BUNDLED / name / model_folder.WEIGHTS)["conv_in.weight"].dtype == recipe.dtype


@pytest.mark.parametrize(("name", "least", "most"), [
    ("fashion-mnist", 1.6e6, 1.65e6), ("fashion-mnist-draft", 0.18e6, 0.2e6),
    ("cifar10", 6_776_355, 6_776_355), ("cifar10-draft", 0.6e6, 0.7e6), ("cifar10-large", 7_404_419, 7_404_419),
])
def test_parameter_counts(name: str, least: float, most: float) -> None:
    with torch.device("meta"):
        network = UNet2D(RECIPES[name].network)
    assert least <= sum(parameter.numel() for parameter in network.parameters()) <= most


def test_other_architectures_are_refused() -> None:
    with pytest.raises(ValueError, match="act_fn is 'mish'"):
        UNetConfig.from_diffusers(TINY.as_diffusers() | {"act_fn": "mish"})


# The process


def test_times_are_stratified() -> None:
    times = process.stratified_times(1000, torch.Generator().manual_seed(0))
    parts = (times - process.TIME_MARGIN) / (1 - 2 * process.TIME_MARGIN) * 1000 - torch.arange(1000)
    assert parts.min() > -1e-3
    assert parts.max() < 1 + 1e-3
    assert parts.std() == pytest.approx(12**-0.5, abs=0.02)


def test_exact_prediction_has_no_loss() -> None:
    """The network is told the image; from it and its input it can form v exactly: σ v = α x - X_0."""
    data = image_data.scaled(tiny_data(64).images)

    def exact(x: Tensor, time: Tensor, _: Tensor) -> Tensor:
        alpha, sigma = process.interpolant(time / process.TIME_SCALE)
        return (alpha * x - data) / sigma

    generator = torch.Generator().manual_seed(0)
    assert process.prediction_loss(exact, data, torch.zeros(64), generator) < 1e-4


def test_sampler_reaches_a_known_law() -> None:
    """X_0 ~ N(1/2, 0.3²) in closed form: x̂0 and x̂1 are linear in x. 10,000 independent pixels."""
    mean, deviation = 0.5, 0.3

    def network(x: Tensor, time: Tensor, _: Tensor) -> Tensor:
        alpha, sigma = process.interpolant(time / process.TIME_SCALE)
        whitened = (x - alpha * mean) / ((alpha * deviation) ** 2 + sigma**2)
        return alpha * sigma * whitened - sigma * (mean + alpha * deviation**2 * whitened)

    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(100, 1, 10, 10, generator=generator)
    labels = torch.zeros(100, dtype=torch.long)
    for churn in (0.0, 0.5):
        samples = sample_images.sample(network, noise, labels, steps=200, churn=churn, generator=generator)
        # Standard errors 0.003 and 0.002; the 200 Euler steps and the early start leave up to 0.01.
        assert abs(samples.mean() - mean) < 0.02
        assert abs(samples.std() - deviation) < 0.02


# Training


def test_loss_falls_and_the_folder_is_whole(tmp_path: Path) -> None:
    run = trainer(replace(TINY_RECIPE, dtype=torch.bfloat16))
    before = evaluation_loss(run.network, run.data)
    checks.run_to_the_end(run, tmp_path)
    saved = model_folder.load(tmp_path)
    assert evaluation_loss(saved, run.data) < 0.7 * before
    checks.golden_case(saved, tmp_path, tolerance=0)
    assert load_file(tmp_path / "case.safetensors")["class_labels"][-1] == 3
    assert model_folder.read_json(tmp_path / "process.json")["image"]["width"] == 8
    assert load_file(tmp_path / model_folder.WEIGHTS)["conv_in.weight"].dtype == torch.bfloat16
    assert run.history[-1]["step"] == 80


def test_resumed_run_equals_an_unbroken_one(tmp_path: Path) -> None:
    checks.resumed_equals_unbroken(trainer, tmp_path)


def test_stopping_saves_state_and_model(tmp_path: Path) -> None:
    stopped = Event()
    run = trainer()
    run.run(tmp_path, lambda _: stopped.set(), stopped)  # the first row of the log is at step 50
    again = trainer()
    again.resume(tmp_path)
    assert again.step == run.step == 50
    checks.golden_case(model_folder.load(tmp_path), tmp_path, tolerance=0)


def test_resuming_another_run_is_refused(tmp_path: Path) -> None:
    other = trainer(replace(TINY_RECIPE, pace=replace(TINY_PACE, batch=8)))
    checks.other_settings_are_refused(trainer(), other, tmp_path, "pace")


def test_a_checkpoint_of_an_older_script_is_refused(tmp_path: Path) -> None:
    torch.save({"network": {}, "step": 3}, tmp_path / runs.CHECKPOINT)
    with pytest.raises(ValueError, match="holds no average, first_step, history, identity"):
        trainer().resume(tmp_path)


def test_resume_must_suit_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def parsed(*options: str) -> argparse.Namespace:
        parser = argparse.ArgumentParser()
        parser.add_argument("out", type=Path)
        runs.add_run_options(parser, minutes=30)
        monkeypatch.setattr("sys.argv", ["train", str(tmp_path), *options])
        return runs.parse_run(parser)

    assert parsed().minutes == 30
    with pytest.raises(SystemExit):
        parsed("--resume")
    (tmp_path / runs.CHECKPOINT).touch()
    assert parsed("--resume", "--minutes", "2").minutes == 2
    with pytest.raises(SystemExit):
        parsed()


def test_minutes_end_the_run() -> None:
    run = trainer(replace(TINY_RECIPE, epochs=1e9), minutes=2)
    checks.minutes_end_the_run(run)
    assert run.pace.rate(1000, 1) == pytest.approx(0.02 * run.pace.learning_rate)


def save_weights(path: Path, weights: dict[str, Tensor]) -> None:
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, path)


def started(folder: Path, average: bool = True) -> tuple[ImageTrainer, ImageTrainer]:
    """A run that was stopped at step 50, and another one that began with its weights."""
    stopped = Event()
    first, second = trainer(), trainer()
    first.run(folder, lambda _: stopped.set(), stopped)
    runs.write_csv(folder / runs.CURVE, first.history)
    save_weights(folder / "network.safetensors", first.network.state_dict())
    second.start(folder / "network.safetensors", folder / model_folder.WEIGHTS if average else None)
    return first, second


def test_a_run_begins_with_the_weights_of_another(tmp_path: Path) -> None:
    first, second = started(tmp_path)
    assert second.step == second.first_step == 50
    assert second.progress == first.progress
    assert second.history == first.history
    for name, tensor in second.network.state_dict().items():
        assert torch.equal(tensor, first.network.state_dict()[name]), name
        assert torch.equal(second.average[name], first.average[name]), name
    second.train_step()
    # The optimiser is new, so the rate warms up again; the cosine is where it was.
    warming, cosine = second.optimizer.param_groups[0]["lr"], first.pace.rate(10**6, first.progress)
    assert warming == pytest.approx(cosine / TINY_PACE.warmup_steps)
    second.save(tmp_path / "second")
    again = trainer()
    again.resume(tmp_path / "second")
    assert (again.step, again.first_step) == (51, 50)


def test_without_an_average_the_weights_are_its_start(tmp_path: Path) -> None:
    _, second = started(tmp_path, average=False)
    before = {name: tensor.clone() for name, tensor in second.network.state_dict().items()}
    assert all(torch.equal(tensor, before[name]) for name, tensor in second.average.items())
    second.train_step()
    # Both have moved, the average less than the weights: they do not share their memory.
    moved, followed = ((tensors["conv_in.weight"] - before["conv_in.weight"]).abs().max()
                       for tensors in (second.network.state_dict(), second.average))
    assert 0 < followed < moved


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    first, second = started(tmp_path)
    weights = first.network.state_dict()
    for name, tensors in (("missing", {name: weights[name] for name in weights if name != "conv_in.bias"}),
                          ("shaped", weights | {"conv_in.bias": torch.zeros(3)}),
                          ("further", weights | {"other": torch.zeros(3)})):
        save_weights(tmp_path / f"{name}.safetensors", tensors)
    for name, message in (("missing", "conv_in.bias is nothing, expected"),
                          ("shaped", r"conv_in.bias is \[3\], expected"),
                          ("further", r"other is \[3\], expected nothing")):
        with pytest.raises(ValueError, match=message):
            second.start(tmp_path / f"{name}.safetensors", None)
    (tmp_path / "text.safetensors").write_text("none")
    with pytest.raises(ValueError, match="not a safetensors file"):
        second.start(tmp_path / "text.safetensors", None)
    (tmp_path / runs.CURVE).write_text("step,loss\n1,2\n")
    with pytest.raises(ValueError, match="must have rows with the columns step, samples, seconds"):
        second.start(tmp_path / "network.safetensors", None)


def test_average_of_the_processor_recipe_grows_with_the_run() -> None:
    recipe = RECIPES["cifar10"]
    steps = recipe.epochs * 50_000 / recipe.pace.batch
    assert recipe.pace.decay(600_000 // recipe.pace.batch) == pytest.approx(0.9995, abs=1e-5)
    assert recipe.pace.decay(10_000) == pytest.approx(1 - 10_000**-0.9)
    assert recipe.pace.decay(round(steps)) == 0.9998
    assert steps * recipe.pace.batch == 4_000_000


def test_low_precision_learns_alike() -> None:
    """The same batches in bfloat16 autocast: weights and average stay F32, the losses agree but for rounding."""
    full, low = trainer(), ImageTrainer(TINY_RECIPE, tiny_data(), low_precision=True)
    losses = torch.tensor([[run.train_step().item() for _ in range(20)] for run in (full, low)])
    # A bfloat16 has 8 bits: rounding shows (so the option does something) but within a few times 2^-8 of the loss.
    assert 0 < (losses[0] - losses[1]).abs().max() < 0.02
    assert all(tensor.dtype == torch.float32 for tensor in (*low.network.parameters(), *low.average.values()))


def test_images_and_weights_lie_channels_last() -> None:
    run = trainer(replace(TINY_RECIPE, network=replace(TINY, image_channels=3)))
    run.data = ImageSet(run.data.images.expand(-1, 3, -1, -1), run.data.labels)
    images, _, _ = run.batch()
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert run.network.down_blocks[0].resnets[0].conv1.weight.is_contiguous(memory_format=torch.channels_last)


def test_batches_drop_labels_and_flip() -> None:
    run = trainer(replace(TINY_RECIPE, pace=replace(TINY_PACE, batch=160), flips=True))
    run.data.images[:] = torch.arange(8, dtype=torch.uint8)  # a ramp from left to right
    dropped = flipped = 0
    for run.step in range(20):
        images, labels, _ = run.batch()
        dropped += (labels == 3).sum().item()
        flipped += (images[:, 0, 0, 0] > images[:, 0, 0, 7]).sum().item()
    # Of 3,200: standard errors 17 and 28, so four of each.
    assert abs(dropped - 320) < 68
    assert abs(flipped - 1600) < 113


# Data


def test_idx_files(tmp_path: Path) -> None:
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    header = struct.pack(">HBBIII", 0, 8, 3, 2, 28, 28)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + images.tobytes()))
    labels = gzip.compress(struct.pack(">HBBI", 0, 8, 1, 2) + bytes([7, 3]))
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(labels)
    data = image_data.read_fashion_mnist(tmp_path, "test")
    assert np.array_equal(data.images[:, 0].numpy(), images)
    assert data.labels.tolist() == [7, 3]


def test_sheets_are_cut_row_by_row(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    tiles = np.random.default_rng(0).integers(256, size=(5000, 3, 32, 32), dtype=np.uint8)
    sheet = np.zeros((1600, 3200, 3), dtype=np.uint8)
    for index in range(5000):
        top, left = 32 * (index // 100), 32 * (index % 100)
        sheet[top:top + 32, left:left + 32] = tiles[index].transpose(1, 2, 0)
    image.fromarray(sheet).save(tmp_path / "test-00.webp", lossless=True, quality=0, method=0)
    np.save(tmp_path / "test-labels.npy", np.arange(5000, dtype=np.uint8) % 10)
    data = image_data.read_cifar10(tmp_path, "test")
    assert np.array_equal(data.images.numpy(), tiles)
    assert data.labels[12] == 2


def test_wrong_sheets_are_refused() -> None:
    with pytest.raises(ValueError, match="a sheet is"):
        image_data.cut(np.zeros((1600, 1600, 3), dtype=np.uint8), "sheet")


# The classifier and the distance


def test_crops_move_whole_images() -> None:
    """Each augmented image is a window of the mirrored original: the middle of a ramp moves by at most the padding."""
    ramp = torch.arange(32.0).expand(64, 3, 32, 32).contiguous()
    moved = train_classifier.augmented(ramp, torch.Generator().manual_seed(0))
    steps = moved[:, :, :, 13:20].diff(dim=3)
    assert torch.equal(steps.abs(), torch.ones_like(steps))
    assert (moved[:, 0, 0, 16] - 15.5).abs().max() <= 4.5
    assert {-1.0, 1.0} == set(steps.flatten().tolist())
    assert torch.equal(moved[:, 0], moved[:, 2])


def test_classifier_learns_and_is_read_back(tmp_path: Path) -> None:
    labels = torch.arange(128) % 2
    images = (labels * 120)[:, None, None, None] + torch.randint(100, (128, 3, 32, 32))
    data = ImageSet(images.to(torch.uint8), labels)
    torch.manual_seed(0)
    network = classifier.Classifier()
    train_classifier.train(network, data, epochs=24, generator=torch.Generator().manual_seed(0))
    classifier.save(tmp_path / "classifier.safetensors", network)
    assert train_classifier.accuracy(classifier.load(tmp_path / "classifier.safetensors"), data) > 0.95


def test_a_public_classifier_is_read(tmp_path: Path) -> None:
    network = randomised(ResNet20())
    save_file(network.state_dict(), tmp_path / "resnet20.safetensors")
    assert sum(parameter.numel() for parameter in network.parameters()) == 269_722  # "0.27 M", He et al., table 6
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    read = classifier.load(tmp_path / "resnet20.safetensors")
    with torch.no_grad():
        assert torch.equal(read(images), network(images))
        assert read.features(images).shape == (3, read.feature_count)
    save_file({"weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(ValueError, match="neither has start.conv.weight"):
        classifier.load(tmp_path / "other.safetensors")


def test_shortcuts_of_the_public_classifier_take_every_other_pixel() -> None:
    block = Block(4, 8, stride=2).eval()
    nn.init.zeros_(block.bn2.weight)  # nothing but the shortcut is left
    images = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        output = block(images)
    assert torch.equal(output[:, 2:6], images[:, :, ::2, ::2])
    assert not output[:, :2].any()
    assert not output[:, 6:].any()


def test_frechet_distance_of_gaussians() -> None:
    """Independent features: |m₁ - m₂|² + Σ (s₁ - s₂)²."""
    generator = torch.Generator().manual_seed(0)
    first = torch.randn(100_000, 4, generator=generator)
    second = torch.tensor([1.0, 2.0, 0.5, 1.0]) * torch.randn(100_000, 4, generator=generator) + 0.5
    assert frechet.frechet_distance(first, second) == pytest.approx(4 * 0.25 + 1 + 0.25, abs=0.05)
    assert frechet.frechet_distance(first, first) == pytest.approx(0, abs=1e-9)
    # The spread that the bootstrap says is that of sets drawn anew: of 40 of 500, to a third.
    sets = [2 * torch.randn(500, 4, generator=torch.Generator().manual_seed(i)) + 1 for i in range(40)]
    spread = torch.tensor([frechet.frechet_distance(drawn, second) for drawn in sets]).std().item()
    assert frechet.standard_error(sets[0], second) == pytest.approx(spread, rel=0.35)
