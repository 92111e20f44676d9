#!/usr/bin/env python3
"""What the sampler itself takes beside a network: its time in each call of a target that answers after 20 ms.

    pip install ./python
    python Benchmarks/accelerator/overhead.py

The target is a closed form, that of normal data, and sleeps for the rest of its 20 ms. What a run takes beyond its calls is
the sampler's: drafts, coupling, and all copies to the target and back. Printed are two figures of it, as shares of a call: by
the clock, which counts what else the machine does meanwhile, and the processor's time on all threads, less the closed form's.
"""

import argparse
import statistics
import time

import numpy as np

import diffspec

CALL = 0.020  # seconds
VARIANCE = 0.25  # of the data, which is N(0, VARIANCE)


class SlowTarget:
    """Answers `E[x0 | x]` on the cosine schedule after 20 ms, and adds up what it took."""

    def __init__(self) -> None:
        self.calls, self.seconds, self.processor_seconds = 0, 0.0, 0.0

    def __call__(self, x: np.ndarray, t: np.ndarray, index: np.ndarray) -> np.ndarray:
        start, processor = time.perf_counter(), time.process_time()
        signal, noise = (f(np.pi / 2 * t).astype(np.float32) for f in (np.cos, np.sin))
        gain = signal * VARIANCE / (signal**2 * VARIANCE + noise**2)
        answer = x * gain.reshape(-1, *[1] * (x.ndim - 1))
        self.processor_seconds += time.process_time() - processor
        time.sleep(max(0, start + CALL - time.perf_counter()))
        self.calls += 1
        self.seconds += time.perf_counter() - start
        return answer


def overheads(shape: tuple[int, ...], window: int, count: int, seed: int) -> tuple[float, float]:
    """The sampler's share of a call, by the clock and in the processor's time."""
    target = SlowTarget()
    kind = {"draft": "recycled", "window": window} if window else {"draft": "none"}
    start, processor = time.perf_counter(), time.process_time()
    diffspec.sample(target, shape, steps=100, schedule="cosine", prediction="sample", count=count, seed=seed, **kind)
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor
    busy = processor_seconds - target.processor_seconds
    return (seconds - target.seconds) / target.calls / CALL, busy / target.calls / CALL


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=11)
    arguments = parser.parse_args()
    print(f"Overhead as a share of a call of {1e3 * CALL:.0f} ms; medians of {arguments.repeats} runs.\n")
    print("| shape | count | window | by the clock | processor's time |\n|---|---|---|---|---|")
    for shape in ((3, 32, 32), (4, 64, 64)):
        for count, window in ((1, 0), (1, 20), (4, 20)):
            overheads(shape, window, count, seed=0)
            runs = [overheads(shape, window, count, seed) for seed in range(arguments.repeats)]
            clock, processor = (statistics.median(values) for values in zip(*runs))
            name = "×".join(map(str, shape))
            print(f"| {name} | {count} | {window or 'plain'} | {clock:.1%} | {processor:.1%} |", flush=True)


if __name__ == "__main__":
    main()
