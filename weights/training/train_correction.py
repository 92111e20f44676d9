#!/usr/bin/env python3
"""Trains the network of the corrected draft (DB25 App. B, Medusa-like correction) and writes its model folder.

    diffspec record --rows 50000 --out examples.safetensors        # and more, for other steps, windows and churns
    python train_correction.py TARGET-FOLDER OUT examples.safetensors ... --minutes 30

The network learns what the target will answer at `x_t`, given the recycled draft's guess `a` of it, which stems from
what it answered at an earlier state `x_s`:

    x̂0_t ≈ a + σ_t c(s, t, a, x_t, …)

`x_s` is where the target was asked, and `x'_s` the state at that step on the path now drafted.

The paper trains on pairs of the forward process and on the squared error (55). Here the pairs are those that a draft
meets, recorded while sampling, and the loss is what the draft is for: the mean of the probabilities of rejection
`2Φ(‖Δ‖/2) - 1`, with `‖Δ‖ = weight · ‖error of x̂0‖`. Needs only the target's own samples, no data set.

The state is saved every two minutes and at Ctrl-C: the same command with --resume continues where it stopped, with more
minutes and other files of examples if need be. OUT holds the model folder, `loss.csv` and `checkpoint.pt`.
"""

import argparse
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import model_folder
import process
from trainer import Pace, Trainer, add_run_options, keyed_generator, parse_run, reported
from unet2d import UNet2D, UNetConfig

VALIDATION_EVERY = 20  # one in so many samples, the same in every file: those of one seed have the same noise
GAP_SCALE, DIFFERENCE_SCALE = 5.0, 4.0  # bring the inputs near 1; diffspec's CorrectionNetwork has the same
COLUMNS = ("time", "source_time", "weight", "label", "sample")


class Examples:
    """The rows of the recorded files: examples [rows, 5, channels, height, width] and the columns [rows]."""

    def __init__(self, examples: Tensor, columns: dict[str, Tensor]) -> None:
        self.examples, self.columns = examples, columns

    @classmethod
    def load(cls, paths: list[Path]) -> tuple["Examples", "Examples"]:
        """Training rows and validation rows; no sample is in both."""
        parts: tuple[list[Examples], list[Examples]] = ([], [])
        for path in paths:
            with safe_open(path, framework="pt") as file:
                examples = file.get_tensor("examples").half()
                columns = {name: file.get_tensor(name) for name in COLUMNS}
            held_out = columns["sample"] % VALIDATION_EVERY == VALIDATION_EVERY - 1
            for part, rows in zip(parts, (~held_out, held_out), strict=True):
                part.append(cls(examples[rows], {name: column[rows] for name, column in columns.items()}))
        train, validation = (
            cls(torch.cat([p.examples for p in part]), {n: torch.cat([p.columns[n] for p in part]) for n in COLUMNS})
            for part in parts)
        if len(validation) == 0:
            raise ValueError(f"the files have fewer than {VALIDATION_EVERY} samples, so none to validate with: record "
                             "more rows")
        return train, validation

    def __len__(self) -> int:
        return len(self.examples)

    def rows(self, index: Tensor) -> "Examples":
        return Examples(self.examples[index].float(), {name: column[index] for name, column in self.columns.items()})


def predicted(network: nn.Module, rows: Examples, null_label: int) -> Tensor:
    """The draft's `x̂0`: the guess and the network's correction."""
    state, moved, source_state, answer, _ = rows.examples.unbind(1)
    time, source_time = rows.columns["time"], rows.columns["source_time"]
    known = (source_time >= 0)[:, None, None, None]
    source_time = torch.where(source_time >= 0, source_time, torch.ones_like(time))
    (alpha, sigma), (source_alpha, source_sigma) = process.interpolant(time), process.interpolant(source_time)
    shift = torch.where(known, moved - source_state, torch.zeros_like(state))
    noise = (state - alpha * answer) / sigma  # x̂1 at x_t, if the guess were right
    source_noise = (moved - source_alpha * answer) / source_sigma
    fresh = torch.where(known, noise - source_noise, torch.zeros_like(noise))
    gap = (source_time - time)[:, None, None, None].expand(-1, 1, *state.shape[2:])
    inputs = [answer, noise, DIFFERENCE_SCALE * shift / source_sigma, DIFFERENCE_SCALE * fresh, GAP_SCALE * gap]
    labels = torch.where(rows.columns["label"] >= 0, rows.columns["label"], torch.full_like(time, null_label)).long()
    return answer + sigma * network(torch.cat(inputs, dim=1), process.TIME_SCALE * time, labels).float()


def rejection(rows: Examples, prediction: Tensor) -> tuple[Tensor, Tensor]:
    """`‖Δ‖` and `2Φ(‖Δ‖/2) - 1` [rows]."""
    distance = rows.columns["weight"] * (prediction - rows.examples[:, 4]).flatten(1).norm(dim=1)
    return distance, torch.erf(distance / (2 * math.sqrt(2)))


@torch.no_grad()
def evaluate(network: nn.Module, rows: Examples, null_label: int) -> tuple[float, float]:
    """Mean probability of rejection with the network and without."""
    corrected, recycled = 0.0, 0.0
    for index in torch.arange(len(rows)).split(256):
        batch = rows.rows(index)
        corrected += rejection(batch, predicted(network, batch, null_label))[1].sum().item()
        recycled += rejection(batch, batch.examples[:, 3])[1].sum().item()
    return corrected / len(rows), recycled / len(rows)


@torch.no_grad()
def correction_case(network: nn.Module, rows: Examples, null_label: int) -> dict[str, Tensor]:
    """A few recorded rows and the whole draft's answers, with and without a source."""
    unknown = (rows.columns["source_time"] < 0).nonzero()[:1, 0]
    known = (rows.columns["source_time"] >= 0).nonzero()[:: max(1, len(rows) // 4), 0][:4]
    batch = rows.rows(torch.cat([known, unknown]))
    case = dict(zip(("state", "moved_state", "source_state", "answer"), batch.examples[:, :4].unbind(1), strict=True))
    case |= {name: batch.columns[name] for name in ("time", "source_time", "label")}
    case["output"] = predicted(network.eval(), batch, null_label)
    return {name: tensor.float().contiguous() for name, tensor in case.items()}


class CorrectionTrainer(Trainer):
    """The run of a correction network on recorded examples.

    `target` is the target's folder; `validation` are rows of samples that the network is not trained on.
    """

    losses = ("rejection",)

    def __init__(self, target: Path, channels: tuple[int, ...], pace: Pace, train: Examples, validation: Examples,
                 seed: int = 0, minutes: float | None = None, low_precision: bool = False) -> None:
        described = model_folder.read_json(target / "config.json")
        self.process = model_folder.read_json(target / "process.json") | {"prediction": "correction"}
        images = described["out_channels"]
        self.config = UNetConfig(
            image_size=described["sample_size"], image_channels=images, extra_channels=3 * images + 1,
            channels=channels, layers=1, attention_levels=(), head_dim=8, norm_groups=8,
            class_embeddings=described["num_class_embeds"])
        torch.manual_seed(seed)
        super().__init__(UNet2D(self.config), pace, seed, math.inf, minutes, torch.device("cpu"), low_precision)
        self.train, self.validation = train, validation
        self.rejections: list[Tensor] = []  # the mean probability in each step since the last row of the log

    @property
    def null_label(self) -> int:
        return self.process["null_class"]

    def loss(self) -> Tensor:
        generator = keyed_generator(self.device, self.seed, self.step)
        rows = self.train.rows(torch.randint(len(self.train), (self.pace.batch,), generator=generator))
        distance, probability = rejection(rows, predicted(self.network, rows, self.null_label))
        self.rejections.append(probability.detach().mean())
        # Beyond a few ‖Δ‖ the probability is flat; the logarithm still has a slope there, so such rows are learnt from.
        return probability.mean() + 0.1 * torch.log1p(distance).mean()

    def log_row(self, loss: float) -> dict[str, float]:
        row = super().log_row(loss) | {"rejection": round(torch.stack(self.rejections).mean().item(), 5)}
        self.rejections.clear()
        return row

    def identity(self) -> dict[str, Any]:
        return asdict(self.config) | asdict(self.pace) | {"seed": self.seed, "process": self.process}

    def save_model(self, folder: Path) -> None:
        model_folder.save(folder, self.config, self.average, self.process, torch.float32)
        save_file(correction_case(model_folder.load(folder), self.validation, self.null_label),
                  folder / "correction-case.safetensors")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the corrected draft's network on recorded examples.")
    parser.add_argument("target", type=Path, help="model folder of the target that the examples were recorded from")
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("examples", type=Path, nargs="+", help="files that diffspec record wrote")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--channels", type=lambda text: tuple(map(int, text.split(","))), default=(16, 32, 32))
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast, for processors that are faster with it")
    add_run_options(parser, minutes=30)
    return parse_run(parser)


def main() -> None:
    arguments = parse_arguments()
    pace = Pace(batch=arguments.batch, learning_rate=arguments.learning_rate, warmup_steps=200, ema_decay=0.998)
    with reported():
        train, validation = Examples.load(arguments.examples)
        trainer = CorrectionTrainer(arguments.target, arguments.channels, pace, train, validation, arguments.seed,
                                    arguments.minutes, arguments.bf16)
        if arguments.resume:
            trainer.resume(arguments.out)
    trainer.run_in(arguments.out, f"correction, {len(train):,} examples")
    corrected, recycled = evaluate(model_folder.load(arguments.out), validation, trainer.null_label)
    print(f"validation: {len(validation):,} rows of other samples, mean probability of rejection {corrected:.4f}, "
          f"uncorrected {recycled:.4f}")


if __name__ == "__main__":
    main()
