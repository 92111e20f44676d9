#!/usr/bin/env python3
"""Serves a policy from PyTorch by plain sampling: a reference that speaks the protocol of `diffspec policy`.

    python serve_policy.py FOLDER --steps 100 --threads 1

Each line of standard input is a request, `{"observation": [[…5], […5]], "seed": n}` or, for several environments at
once, lists of both. It is answered by `{"actions": [[x, y] × 16], "nfe": …, "windows": 0, "evaluations": …,
"milliseconds": …}` or, but for the time, lists of these.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import torch

import ddpm
import policy_folder


class Server:
    def __init__(self, folder: Path, steps: int) -> None:
        self.network = policy_folder.load(folder)
        self.observations, self.actions = policy_folder.load_ranges(folder)
        self.steps = steps
        self.horizon = policy_folder.read_json(folder / "config.json")["horizon"]

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Plans for the request's observations [2, 5] or [N, 2, 5]. Each plan's noise depends on its own seed alone."""
        started = time.monotonic()
        observation = torch.tensor(request["observation"], dtype=torch.float32)
        alone = observation.ndim == 2
        if alone:
            observation = observation[None]
        rows, dimensions = len(observation), len(self.actions.minimum)
        seeds = request.get("seed", 0)
        seeds = [seeds] * rows if isinstance(seeds, int) else seeds
        if len(seeds) != rows:
            raise ValueError(f"{len(seeds)} seeds for {rows} observations")
        noise = torch.stack([torch.randn(self.steps, self.horizon, dimensions,
                                         generator=torch.Generator().manual_seed(seed)) for seed in seeds], dim=1)
        conditions = self.observations.scaled(observation).flatten(1)
        actions = self.actions.unscaled(ddpm.sample(self.network, conditions, noise)).tolist()
        counts: list[int] = [self.steps] * rows
        answer = {"actions": actions, "nfe": counts, "windows": [0] * rows, "evaluations": counts}
        if alone:
            answer = {name: values[0] for name, values in answer.items()}
        return answer | {"milliseconds": round(1000 * (time.monotonic() - started), 3)}


def serve(server: Server, requests: TextIO, answers: TextIO) -> None:
    """Answers every line; one that cannot be answered gets an error, and the next one is read."""
    for line in requests:
        try:
            answer = server.answer(json.loads(line))
        except (ValueError, KeyError, TypeError, RuntimeError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a policy's plans as JSON lines.")
    parser.add_argument("model", type=Path, help="the model's folder")
    parser.add_argument("--steps", type=int, default=ddpm.STEPS)
    parser.add_argument("--threads", type=int, help="processor threads (default: PyTorch's)")
    arguments = parser.parse_args()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    try:
        server = Server(arguments.model, arguments.steps)
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
    serve(server, sys.stdin, sys.stdout)


if __name__ == "__main__":
    main()
