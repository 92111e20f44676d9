"""Latency of one plan of a robot policy: plain and speculative sampling of ours, beside plain sampling in PyTorch with diffusers.

    python compare_policies.py BUNDLED WIDE [--rounds 5] [--windows 5 10 20 40] [--batches 1 4 10 20 40] [--threads 2]
                               [--precision bf16]

BUNDLED is a trained policy, WIDE the same task's published size with random weights (`policy_network.py WIDE` writes it). A random
network says nothing about how many drafts are accepted: its speculative plans replay the calls, row for row, that BUNDLED's plans of
the same seed and window made. Everything takes turns, round by round, in one run; printed are medians, and medians of the rounds'
ratios. c(r) is the time of a call of r rows over that of one. In bf16 the program is compared with itself in f32, in PyTorch's place.

Build first: swift build -c release --package-path Benchmarks
"""
import argparse
import pathlib
import statistics
import subprocess
import time

import torch
from diffusers import DDPMScheduler

import policy_network

OURS = pathlib.Path(__file__).resolve().parent.parent / ".build" / "release" / "policy-benchmark"


class Ours:
    def __init__(self, folder, steps, threads, precision):
        self.process = subprocess.Popen(
            [str(OURS), folder, "--steps", str(steps), "--threads", str(threads), "--precision", precision], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)
        self.about = self.process.stdout.readline().strip().removeprefix("ready ")

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            raise SystemExit(f"policy-benchmark ended at: {request}")
        return answer

    def milliseconds(self, request):
        return float(self.ask(request)[0])

    def plan(self, seed, window):
        """Milliseconds, and the rows of every call."""
        answer = self.ask(f"plan {seed} {window}")
        return float(answer[0]), [int(rows) for rows in answer[3].split(",")]


class OursInF32:
    """The program as a peer of itself."""

    name = "f32"

    def __init__(self, folder, steps, threads):
        self.ours = Ours(folder, steps, threads, "f32")

    def call(self, rows):
        return self.ours.milliseconds(f"call {rows}")

    def plan(self, seed):
        return self.ours.plan(seed, "none")[0]


class Torch:
    """Eager PyTorch in inference mode, with diffusers' own scheduler."""

    name = "PyTorch"

    def __init__(self, folder, steps):
        self.network, self.horizon = policy_network.load(folder)
        self.scheduler = DDPMScheduler.from_pretrained(folder)
        self.scheduler.set_timesteps(steps)
        self.dimension = self.network.final_conv[1].out_channels
        first = self.network.mid_modules[0].cond_encoder[1].in_features
        self.condition = first - self.network.diffusion_step_encoder[3].out_features

    def call(self, rows):
        sample = torch.randn(rows, self.horizon, self.dimension)
        steps, condition = torch.arange(rows).float(), torch.randn(rows, self.condition)
        start = time.perf_counter()
        with torch.inference_mode():
            self.network(sample, steps, condition)
        return (time.perf_counter() - start) * 1e3

    def plan(self, seed):
        generator = torch.Generator().manual_seed(seed)
        condition = 2 * torch.rand(1, self.condition, generator=generator) - 1
        start = time.perf_counter()
        with torch.inference_mode():
            x = torch.randn(1, self.horizon, self.dimension, generator=generator)
            for step in self.scheduler.timesteps:
                noise = self.network(x, step[None].float(), condition)
                x = self.scheduler.step(noise, step, x, generator=generator).prev_sample
        return (time.perf_counter() - start) * 1e3


def calls(name, ours, peer, options):
    """Prints the table, and returns our milliseconds by rows."""
    print(f"\n### A call of the {name} policy: {ours.about}\n")
    print(f"| rows | diffspec ms | c(rows) | {peer.name} ms | c(rows) | ours / theirs |\n|---|---|---|---|---|---|")
    def in_a_row(call):  # as in a plan: the first call of a turn, after another network's, is for warmth
        call()
        return statistics.median(call() for _ in range(3))

    times = {rows: ([], []) for rows in options.batches}
    for _ in range(options.rounds):
        for rows, (mine, theirs) in times.items():
            mine.append(in_a_row(lambda: ours.milliseconds(f"call {rows}")))
            theirs.append(in_a_row(lambda: peer.call(rows)))
    medians = {rows: statistics.median(mine) for rows, (mine, _) in times.items()}
    first = times[options.batches[0]]
    for rows, (mine, theirs) in times.items():
        a, b = statistics.median(mine), statistics.median(theirs)
        c = [statistics.median(x / y for x, y in zip(column, base)) for column, base in zip((mine, theirs), first)]
        ratio = statistics.median(x / y for x, y in zip(mine, theirs))
        print(f"| {rows} | {a:.2f} | {c[0]:.2f} | {b:.2f} | {c[1]:.2f} | {ratio:.2f} |", flush=True)
    return medians


def plans(name, ours, peer, pattern, options):
    """`pattern` says, for a round and a window, the rows of the calls to replay; None lets the model itself plan."""
    print(f"\n### One plan of the {name} policy, {options.steps} steps\n")
    print(f"| sampling | NFE | rows | ms | plain / this | {peer.name} / this |\n|---|---|---|---|---|---|")
    plain, torch_times = [], []
    speculative = {window: [] for window in options.windows}
    ours.plan(0, "none"), peer.plan(0)
    for round in range(options.rounds):
        torch_times.append(peer.plan(round))
        plain.append(ours.plan(round, "none")[0])
        for window in options.windows:
            if pattern is None:
                speculative[window].append(ours.plan(round, window))
            else:
                rows = pattern[round, window]
                speculative[window].append((ours.milliseconds("replay " + ",".join(map(str, rows))), rows))

    def line(label, nfe, rows, times):
        ratios = [statistics.median(x / y for x, y in zip(column, times)) for column in (plain, torch_times)]
        print(f"| {label} | {nfe:.1f} | {rows:.0f} | {statistics.median(times):.1f} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)

    line(f"{peer.name}, plain", options.steps, options.steps, torch_times)
    line("diffspec, plain", options.steps, options.steps, plain)
    for window, entries in speculative.items():
        times = [entry[0] for entry in entries]
        nfe = statistics.mean(len(entry[1]) for entry in entries)
        line(f"diffspec, window {window}", nfe, statistics.mean(sum(entry[1]) for entry in entries), times)
    return {(round, window): entries[round][1] for window, entries in speculative.items() for round in range(options.rounds)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundled")
    parser.add_argument("wide")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--windows", type=int, nargs="+", default=[5, 10, 20, 40])
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 2, 4, 6, 11, 20, 21, 41])
    options = parser.parse_args()
    torch.set_num_threads(options.threads)

    pattern = None
    for name, folder in (("bundled", options.bundled), ("wide", options.wide)):
        ours = Ours(folder, options.steps, options.threads, options.precision)
        peer = (Torch(folder, options.steps) if options.precision == "f32"
                else OursInF32(folder, options.steps, options.threads))
        calls(name, ours, peer, options)
        pattern = plans(name, ours, peer, pattern, options)
        ours.process.stdin.close()
        ours.process.wait()


if __name__ == "__main__":
    main()
