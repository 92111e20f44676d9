#!/usr/bin/env python3
"""Plain and speculative sampling end to end where PyTorch has a GPU and there is no Swift: the packed library is carried.

    pip wheel --no-deps -w OUT ./python                      # where Swift is
    pip install --no-deps OUT/diffspec-*.whl                 # on the machine with the GPU
    python Benchmarks/accelerator/accelerator.py --out accelerator.json

Two targets: the 35.7 million parameter U-Net of CIFAR-10's DDPM, and a robot policy of 65 million. Their weights are
random, since speed does not depend on them, but acceptance does: the answers are those of the bundled trained networks
`cifar10` and `pusht`, which are evaluated beside them. A call's time is thus that of both, for plain sampling as for
speculative. `cifar10` alone is a third target. The sampler's overhead is what a run takes beyond its calls.
"""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import diffspec
from diffspec.torch import Denoiser

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "weights/training"))

import model_folder  # noqa: E402
import policy_folder  # noqa: E402
from conditional_unet1d import ConditionalUnet1D, ConditionalUnet1DConfig  # noqa: E402
from model_folder import read_json  # noqa: E402
from unet2d import UNet2D, UNetConfig  # noqa: E402

DDPM_UNET = UNetConfig(image_size=32, image_channels=3, channels=(128, 256, 256, 256), layers=2, attention_levels=(1,),
                       head_dim=256, norm_groups=32, class_embeddings=11)
WIDE_POLICY = ConditionalUnet1DConfig(global_cond_dim=10, diffusion_step_embed_dim=256, down_dims=(256, 512, 1024))


class Timed:
    """A denoiser that notes the rows and the seconds of its calls."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser, self.rows, self.seconds = denoiser, [], []
        self.__name__ = denoiser.__name__

    def __call__(self, x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
        start = time.perf_counter()
        answer = self.denoiser(x, t, index)  # a NumPy array: the device has finished
        self.seconds.append(time.perf_counter() - start)
        self.rows.append(len(x))
        return answer


class Enlarged(nn.Module):
    """The trained network's answers in the time of a larger one beside it, whose last layer must be zero."""

    def __init__(self, trained: nn.Module, larger: nn.Module | None) -> None:
        super().__init__()
        self.trained, self.larger = trained, larger

    def forward(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        answer = self.trained(x, t, condition)
        return answer if self.larger is None else answer + self.larger(x, t, condition)


def picture_target(large: bool, device: torch.device, dtype: torch.dtype) -> tuple[Denoiser, dict]:
    trained = model_folder.load(ROOT / "weights/cifar10")
    module = Enlarged(trained, UNet2D(DDPM_UNET) if large else None).to(device, memory_format=torch.channels_last).eval()
    denoiser = Denoiser(module, dtype=dtype,
                        call=lambda module, x, t, index: module(x, 1000 * t, (index % 10).to(torch.long)))
    return denoiser, {"shape": (3, 32, 32), "schedule": "cosine", "prediction": "v_prediction"}


def policy_target(device: torch.device, dtype: torch.dtype) -> tuple[Denoiser, dict]:
    folder = ROOT / "weights/pusht"
    trained, wide = policy_folder.load(folder), ConditionalUnet1D(WIDE_POLICY)
    for parameter in wide.final_conv[-1].parameters():
        nn.init.zeros_(parameter)
    module = Enlarged(trained, wide).to(device).eval()
    conditions = torch.rand(64, 10, generator=torch.Generator().manual_seed(0)).to(device) * 2 - 1
    denoiser = Denoiser(module, dtype=dtype, call=lambda module, x, t, index: module(x, t, conditions[index % 64]))
    schedule = diffspec.Schedule.from_diffusers(read_json(folder / "scheduler_config.json"))
    return denoiser, {"shape": (16, 2), "schedule": schedule}


def measured(denoiser: Denoiser, settings: dict, repeats: int, **options: object) -> dict:
    """The median run of several with seeds of their own; the first of all warms the kernels up."""
    runs = []
    for seed in range(repeats + 1):
        timed = Timed(denoiser)
        start = time.perf_counter()
        result = diffspec.sample(timed, seed=seed, **settings, **options)
        seconds = time.perf_counter() - start
        runs.append({
            "seconds": seconds, "calls": len(timed.rows), "rows": sum(timed.rows), "nfe": result.nfe.mean,
            "windows": result.windows.mean, "acceptance": result.acceptance,
            "call_milliseconds": 1e3 * statistics.median(timed.seconds),
            "overhead": (seconds - sum(timed.seconds)) / seconds,
            "overhead_milliseconds_per_call": 1e3 * (seconds - sum(timed.seconds)) / len(timed.rows),
        })
    runs = sorted(runs[1:], key=lambda run: run["seconds"])
    return runs[len(runs) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description="Times plain and speculative sampling on an accelerator.")
    parser.add_argument("--out", type=Path, required=True, help="JSON file for the figures")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--targets", nargs="*", default=["unet-35.7M", "policy-65M", "cifar10"])
    parser.add_argument("--steps", type=int, nargs="*", default=[100, 1000])
    parser.add_argument("--windows", type=int, nargs="*", default=[10, 20, 50, 100])
    parser.add_argument("--counts", type=int, nargs="*", default=[1, 4])
    parser.add_argument("--precisions", nargs="*", default=["float32", "bfloat16"])
    parser.add_argument("--repeats", type=int, default=3, help="timed runs of each line, for 100 steps; one for more")
    parser.add_argument("--seconds", type=float, default=600, help="begin no further line after this time")
    arguments = parser.parse_args()
    if not arguments.out.parent.is_dir():
        parser.error(f"{arguments.out.parent} is no folder")
    device = torch.device(arguments.device)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False  # float32 means float32
    torch.backends.cudnn.benchmark = False
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "processor"
    table, began = [], time.monotonic()
    for target in arguments.targets:
        for precision in arguments.precisions:
            dtype = getattr(torch, precision)
            denoiser, settings = (policy_target(device, dtype) if target == "policy-65M" else
                                  picture_target(target == "unet-35.7M", device, dtype))
            for steps in arguments.steps:
                if target == "policy-65M" and steps > 100:
                    continue  # it was trained with 100
                for count in arguments.counts:
                    plain = None
                    for window in [0, *arguments.windows]:
                        if time.monotonic() - began > arguments.seconds:
                            break
                        kind = {"draft": "none"} if window == 0 else {"draft": "recycled", "window": window}
                        repeats = arguments.repeats if steps <= 100 else 1
                        row = measured(denoiser, settings, repeats, steps=steps, count=count, **kind)
                        plain = plain or row["seconds"]
                        row = {"target": target, "precision": precision, "steps": steps, "count": count,
                               "window": window, "speedup": plain / row["seconds"]} | row
                        table.append(row)
                        print(f"{target:11} {precision:8} K {steps:4} count {count} window {window:3}: "
                              f"{row['seconds']:7.3f} s ({row['speedup']:5.2f}×)  {row['calls']:4} calls of "
                              f"{row['call_milliseconds']:6.2f} ms, {row['rows']:6} rows, overhead "
                              f"{row['overhead']:.1%}", flush=True)
    arguments.out.write_text(json.dumps({"device": name, "torch": torch.__version__, "rows": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
