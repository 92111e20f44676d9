"""Writes the folders beside this file: diffusion policies of LeRobot, with what LeRobot itself makes of given rows.

    python make.py            # lerobot 0.4.4, torch 2.15, torchvision 0.29

Weights and rows are not stored: each number is a function of its tensor's name and its place, which the tests compute
again. `parameters.json` has the names and shapes.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from lerobot.configs.types import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
from lerobot.policies.diffusion.processor_diffusion import make_diffusion_pre_post_processors

MASK = (1 << 64) - 1


def uniform(name: str, shape: tuple[int, ...], low: float, high: float) -> torch.Tensor:
    """SplitMix64 of the FNV-1a hash of the name and the place, its upper 24 bits."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x100000001B3) & MASK
    count = int(np.prod(shape))
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    unit = (z >> np.uint64(40)).astype(np.float64) / 2**24
    return torch.from_numpy((low + (high - low) * unit).astype(np.float32)).reshape(shape)


def weights(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    if len(shape) > 1:
        bound = (3 / np.prod(shape[1:])) ** 0.5
        return uniform(name, shape, -bound, bound)
    if name.endswith("weight") or name.endswith("running_var"):
        return uniform(name, shape, 0.75, 1.25)
    return uniform(name, shape, -0.1, 0.1)


def make(folder: Path, images: dict[str, tuple[int, int]], environment: int, norm: dict, **settings) -> None:
    inputs = {"observation.state": PolicyFeature(FeatureType.STATE, (3,))}
    inputs |= {name: PolicyFeature(FeatureType.VISUAL, (3, *size)) for name, size in images.items()}
    if environment:
        inputs["observation.environment_state"] = PolicyFeature(FeatureType.ENV, (environment,))
    config = DiffusionConfig(
        input_features=inputs, output_features={"action": PolicyFeature(FeatureType.ACTION, (2,))},
        normalization_mapping=norm, horizon=8, n_action_steps=4, down_dims=(16, 32), n_groups=4,
        diffusion_step_embed_dim=16, device="cpu", pretrained_backbone_weights=None, spatial_softmax_num_keypoints=5,
        **settings)
    policy = DiffusionPolicy(config).eval()
    names = {}
    for name, tensor in policy.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if not name.endswith("pos_grid"):
            tensor.copy_(weights(name, tuple(tensor.shape)))
        names[name] = list(tensor.shape)
    sizes = {name: (3, 1, 1) if feature.type == FeatureType.VISUAL else feature.shape
             for name, feature in (inputs | config.output_features).items()}
    statistics = {}
    for name, size in sizes.items():
        low, high = uniform(name + "min", size, -1, -0.2), uniform(name + "max", size, 0.2, 1)
        statistics[name] = {
            "min": low, "max": high, "mean": (low + high) / 2, "std": uniform(name + "std", size, 0.2, 0.5),
            "q01": low * 0.9, "q99": high * 0.9, "q10": low * 0.5, "q90": high * 0.5}
    before, after = make_diffusion_pre_post_processors(config, statistics)

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    policy.save_pretrained(folder)
    before.save_pretrained(folder)
    after.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    (folder / "README.md").unlink(missing_ok=True)
    (folder / "parameters.json").write_text(json.dumps(names))

    rows, steps = 2, config.n_obs_steps
    batch = {name: uniform("raw." + name, (rows, steps, *feature.shape), 0 if name in images else -1, 1)
             for name, feature in inputs.items()}
    with torch.no_grad():
        seen = before({name: value.flatten(0, 1) for name, value in batch.items()})
        seen = {name: seen[name].unflatten(0, (rows, steps)) for name in inputs}
        if images:
            seen["observation.images"] = torch.stack([seen[name] for name in images], dim=-4)
        condition = policy.diffusion._prepare_global_conditioning(seen)
        output = policy.diffusion.unet(
            uniform("trajectory", (rows, 8, 2), -1.5, 1.5), torch.tensor([70, 3]), global_cond=condition)
        actions = after(uniform("plan", (rows, 8, 2), -1, 1))
    save_file({"global_cond": condition, "output": output.contiguous(), "actions": actions.contiguous()},
              folder / "expected.safetensors")
    print(folder.name, condition.std(), output.std())


here = Path(__file__).parent
MEAN, RANGE = NormalizationMode.MEAN_STD, NormalizationMode.MIN_MAX
make(here / "groups-18", {"observation.image": (40, 36)}, 0, {"VISUAL": MEAN, "STATE": RANGE, "ACTION": RANGE},
     crop_shape=(33, 30), use_group_norm=True)
make(here / "batches-34", {"observation.images.front": (60, 70), "observation.images.wrist": (60, 70)}, 2,
     {"VISUAL": RANGE, "STATE": MEAN, "ACTION": NormalizationMode.QUANTILES, "ENV": MEAN},
     vision_backbone="resnet34", resize_shape=(48, 40), crop_ratio=0.8, use_group_norm=False, use_separate_rgb_encoder_per_camera=True)
make(here / "batches-50", {"observation.images.left": (45, 53), "observation.images.right": (45, 53)}, 0,
     {"VISUAL": NormalizationMode.IDENTITY, "STATE": NormalizationMode.QUANTILE10, "ACTION": MEAN},
     vision_backbone="resnet50", crop_shape=None, use_group_norm=False, use_separate_rgb_encoder_per_camera=False,
     noise_scheduler_type="DDIM", num_inference_steps=10, use_film_scale_modulation=False)
