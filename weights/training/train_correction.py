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
"""

import argparse
import math
import signal
import time
from pathlib import Path
from threading import Event

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import model_folder
import process
from trainer import write_csv
from unet2d import UNet2D, UNetConfig

LOG_EVERY = 100  # steps
CHECKPOINT_SECONDS = 120
WARMUP_STEPS = 200
FINAL_RATE = 0.02
EMA_DECAY = 0.998
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
        return tuple(
            cls(torch.cat([p.examples for p in part]), {n: torch.cat([p.columns[n] for p in part]) for n in COLUMNS})
            for part in parts)

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


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the corrected draft's network on recorded examples.")
    parser.add_argument("target", type=Path, help="model folder of the target that the examples were recorded from")
    parser.add_argument("out", type=Path, help="folder for the model, loss.csv and checkpoint.pt")
    parser.add_argument("examples", type=Path, nargs="+", help="files that diffspec record wrote")
    parser.add_argument("--minutes", type=float, default=30, help="length of the run (default: 30)")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--channels", type=lambda text: tuple(map(int, text.split(","))), default=(16, 32, 32))
    parser.add_argument("--bf16", action="store_true", help="bfloat16 autocast, for processors and GPUs that have it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    target = model_folder.read_json(arguments.target / "config.json")
    description = model_folder.read_json(arguments.target / "process.json")
    train, validation = Examples.load(arguments.examples)
    if len(validation) == 0:
        raise SystemExit(f"error: the files have fewer than {VALIDATION_EVERY} samples; record more rows")
    channels = target["out_channels"]
    config = UNetConfig(
        image_size=target["sample_size"], image_channels=channels, extra_channels=3 * channels + 1,
        channels=arguments.channels, layers=1, attention_levels=(), head_dim=8, norm_groups=8,
        class_embeddings=target["num_class_embeds"])
    null_label = description["null_class"]
    torch.manual_seed(arguments.seed)
    network = UNet2D(config)
    average = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    optimizer = torch.optim.AdamW(network.parameters(), lr=arguments.learning_rate, betas=(0.9, 0.99), weight_decay=0)
    checkpoint, step, spent, history = arguments.out / "checkpoint.pt", 0, 0.0, []
    if checkpoint.exists() != arguments.resume:
        raise SystemExit(f"error: {checkpoint}: --resume is for going on from one, and only then must it exist")
    if arguments.resume:
        state = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        average, step, spent, history = state["average"], state["step"], state["seconds"], state["history"]
    arguments.out.mkdir(parents=True, exist_ok=True)
    size = sum(p.numel() for p in network.parameters())
    print(f"{size:,} parameters, {len(train):,} examples", flush=True)

    def save() -> None:
        unfinished = checkpoint.with_suffix(".unfinished")
        torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict(), "average": average,
                    "step": step, "seconds": spent, "history": history}, unfinished)
        unfinished.replace(checkpoint)
        saved = description | {"prediction": "correction"}
        model_folder.save(arguments.out, config, average, saved, torch.float32)
        save_file(correction_case(model_folder.load(arguments.out), validation, null_label),
                  arguments.out / "correction-case.safetensors")
        if history:
            write_csv(arguments.out / "loss.csv", history)

    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    resumed_at, started = spent, time.monotonic()
    saved_at, losses = started, []
    while spent < 60 * arguments.minutes and not stopped.is_set():
        progress = spent / (60 * arguments.minutes)
        cosine = FINAL_RATE + (1 - FINAL_RATE) * (1 + math.cos(math.pi * progress)) / 2
        for group in optimizer.param_groups:
            group["lr"] = arguments.learning_rate * cosine * min(1, (step + 1) / WARMUP_STEPS)
        generator = torch.Generator().manual_seed(arguments.seed * 1_000_003 + step)
        rows = train.rows(torch.randint(len(train), (arguments.batch,), generator=generator))
        with torch.autocast("cpu", torch.bfloat16, enabled=arguments.bf16):
            prediction = predicted(network, rows, null_label)
        distance, probability = rejection(rows, prediction)
        # Beyond a few ‖Δ‖ the probability is flat; the logarithm keeps such rows in the game.
        loss = probability.mean() + 0.1 * torch.log1p(distance).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        decay = min(EMA_DECAY, (1 + step) / (10 + step))
        current = network.state_dict()
        torch._foreach_lerp_(list(average.values()), [current[name] for name in average], 1 - decay)
        losses.append(probability.detach().mean())
        spent = resumed_at + time.monotonic() - started
        if step % LOG_EVERY == 0:
            history.append({"step": step, "seconds": round(spent, 1),
                            "rejection": round(torch.stack(losses).mean().item(), 5)})
            losses.clear()
            print(f"{progress:6.1%}  step {step:7,}  rejection {history[-1]['rejection']:.4f}", flush=True)
            if time.monotonic() - saved_at > CHECKPOINT_SECONDS:
                save()
                saved_at = time.monotonic()
    save()
    if stopped.is_set():
        raise SystemExit(f"stopped at step {step}; --resume goes on")
    network.load_state_dict(average)
    corrected, recycled = evaluate(network.eval(), validation, null_label)
    print(f"validation: {len(validation):,} rows of other samples, mean probability of rejection {corrected:.4f}, "
          f"uncorrected {recycled:.4f}")


if __name__ == "__main__":
    main()
