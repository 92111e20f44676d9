"""Latency of one plan of a LeRobot policy with a camera: plain and speculative sampling of ours, beside LeRobot in PyTorch.

    python compare_lerobot.py FOLDER --make                       # writes a policy of the published size, random weights
    python compare_lerobot.py FOLDER BUNDLED [--rounds 5] [--windows 5 10 20] [--batches 1 11 21] [--threads 2]

Random weights say nothing about how many drafts are accepted: the speculative plans replay the calls, row for row, that
BUNDLED, a trained policy of the same number of steps, made of the same seeds. Encoder and plan are timed by themselves, and
LeRobot's whole `generate_actions` beside their sum. Everything takes turns, round by round, in one run; printed are medians,
and medians of the rounds' ratios.

Needs lerobot (0.4 or later). Build first: swift build -c release --package-path Benchmarks
"""
import argparse
import statistics
import time

import torch
from lerobot.configs.types import FeatureType, NormalizationMode, PolicyFeature
from lerobot.policies.diffusion.configuration_diffusion import DiffusionConfig
from lerobot.policies.diffusion.modeling_diffusion import DiffusionPolicy
from lerobot.policies.diffusion.processor_diffusion import make_diffusion_pre_post_processors

from compare_policies import Ours, calls


def configuration() -> DiffusionConfig:
    """LeRobot's default size: ResNet-18 on 96×96 pixels, a U-Net of 512, 1024 and 2048 channels."""
    return DiffusionConfig(
        input_features={"observation.image": PolicyFeature(FeatureType.VISUAL, (3, 96, 96)),
                        "observation.state": PolicyFeature(FeatureType.STATE, (2,))},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (2,))},
        normalization_mapping={"VISUAL": NormalizationMode.MEAN_STD, "STATE": NormalizationMode.MIN_MAX,
                               "ACTION": NormalizationMode.MIN_MAX},
        crop_shape=None, use_group_norm=True, pretrained_backbone_weights=None, horizon=16, n_action_steps=8,
        down_dims=(512, 1024, 2048), device="cpu")


def make(folder: str) -> None:
    config = configuration()
    torch.manual_seed(0)
    policy = DiffusionPolicy(config)
    statistics_of = {
        "observation.image": {"mean": torch.full((3, 1, 1), 0.5), "std": torch.full((3, 1, 1), 0.25)},
        "observation.state": {"min": torch.zeros(2), "max": torch.full((2,), 512.0)},
        "action": {"min": torch.zeros(2), "max": torch.full((2,), 512.0)}}
    before, after = make_diffusion_pre_post_processors(config, statistics_of)
    for part in (policy, before, after):
        part.save_pretrained(folder)
    print(sum(parameter.numel() for parameter in policy.parameters()), "parameters")


class LeRobot:
    def __init__(self, folder: str) -> None:
        self.model = DiffusionPolicy.from_pretrained(folder, config=configuration()).eval().diffusion
        self.config = self.model.config

    def call(self, rows: int) -> float:
        sample = torch.randn(rows, self.config.horizon, 2)
        steps = torch.arange(rows)
        condition = torch.randn(rows, self.model.unet.mid_modules[0].cond_encoder[1].in_features
                                - self.config.diffusion_step_embed_dim)
        return timed(lambda: self.model.unet(sample, steps, global_cond=condition))

    def batch(self) -> dict:
        return {"observation.state": torch.rand(1, 2, 2) * 2 - 1, "observation.images": torch.rand(1, 2, 1, 3, 96, 96)}

    def encode(self) -> float:
        batch = self.batch()
        return timed(lambda: self.model._prepare_global_conditioning(batch))

    def plan(self) -> float:
        batch = self.batch()
        return timed(lambda: self.model.generate_actions(batch))


def timed(call) -> float:
    start = time.perf_counter()
    with torch.inference_mode():
        call()
    return (time.perf_counter() - start) * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("bundled", nargs="?")
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", type=int, nargs="+", default=[4, 5, 7, 10, 20])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 6, 8, 11, 21])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.make:
        return make(options.folder)
    if options.bundled is None:
        parser.error("name BUNDLED, whose plans are replayed")

    ours, peer = Ours(options.folder, 100, options.threads), LeRobot(options.folder)
    times = calls("LeRobot", ours, peer, options)
    # `--window auto`, for the calls of the large policy.
    auto = ",".join(f"{rows}:{time}" for rows, time in sorted(times.items()))
    windows = {str(window): str(window) for window in options.windows} | {"auto": auto}
    bundled = Ours(options.bundled, 100, options.threads)
    pattern = {(round, window): bundled.plan(round, request)[1]
               for round in range(options.rounds) for window, request in windows.items()}
    bundled.process.stdin.close()

    columns = {"encode": [], "their encode": [], "their plan": [], "plan": []} | {window: [] for window in windows}
    ours.plan(0, "none"), peer.plan(), ours.milliseconds("encode"), peer.encode()
    for round in range(options.rounds):
        columns["their plan"].append(peer.plan())
        for _ in range(3):
            columns["their encode"].append(peer.encode())
            columns["encode"].append(ours.milliseconds("encode"))
        encoding = statistics.median(columns["encode"][-3:])
        columns["plan"].append(encoding + ours.plan(round, "none")[0])
        for window in windows:
            request = "replay " + ",".join(map(str, pattern[round, window]))
            columns[window].append(encoding + ours.milliseconds(request))

    def ratio(first, second) -> float:
        return statistics.median(a / b for a, b in zip(columns[first], columns[second]))

    print(f"\n### Encoder, two pictures\n\ndiffspec {statistics.median(columns['encode']):.1f} ms, PyTorch "
          f"{statistics.median(columns['their encode']):.1f} ms; ours / theirs {ratio('encode', 'their encode'):.2f}")
    print("\n### One plan with its encoder, 100 steps\n\n| sampling | NFE | ms | plain / this | PyTorch / this |\n|---|---|---|---|---|")
    names = {"their plan": ("LeRobot, PyTorch", 100), "plan": ("diffspec, plain", 100)}
    for window in windows:
        calls_made = [len(pattern[round, window]) for round in range(options.rounds)]
        names[window] = (f"diffspec, window {window}", statistics.mean(calls_made))
    for key, (name, nfe) in names.items():
        print(f"| {name} | {nfe:.1f} | {statistics.median(columns[key]):.0f} | {ratio('plan', key):.2f} | "
              f"{ratio('their plan', key):.2f} |")


if __name__ == "__main__":
    main()
