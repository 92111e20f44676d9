#!/usr/bin/env python3
"""Drives PushT by a diffusion policy that `diffspec policy` samples: plain against speculative.

    python client.py --episodes 20 --out results                    # 100 steps, window 20
    python client.py --table --episodes 100 --out results           # the six rows of the paper's Table 2
    python client.py --table --draft frozen-fresh --no-fallback     # with the paper's own draft and its loop as published
    python client.py --steps 100 --window 20 --picture episode.gif  # one episode, as a GIF (or a PNG strip)

Every setting starts from the same initial states. Finished episodes are kept in OUT/episodes.jsonl: the same command
is resumed where it was stopped, and more episodes extend a run. OUT/table.md and OUT/table.json are rewritten after
every group of episodes.
"""

import argparse
import json
import math
import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path

from environment import EXECUTED, Episode
from picture import Recorder
from results import EpisodeRecord, LatencyRecord, Results, Setting, table
from server import PolicyServer, ServerError

TABLE_2 = ((100, 20), (80, 20), (40, 20), (20, 20), (10, 10), (5, 5))
FIRST_SEED = 100_000
SERVER = "diffspec policy --model {model} --steps {steps} --window {window} --draft {draft} --threads {threads}"


class Progress:
    """What has been done of all work and when the rest will be, on standard error; where that is no terminal, a line a
    group only. The work of an episode is taken as its number of steps K."""

    def __init__(self, total: float) -> None:
        self.total, self.done, self.started = total, 0.0, time.monotonic()
        self.is_live = sys.stderr.isatty()

    def show(self, what: str, within: float = 0, ends: bool = False) -> None:
        done = self.done + within
        elapsed = time.monotonic() - self.started
        left = f"about {duration(elapsed * (self.total / done - 1))} left" if done > 0 else ""
        if self.is_live or ends:
            line = f"{done / self.total:6.1%}  {what}  {left}"
            print(line.ljust(100), end="\n" if ends else "\r", file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def server(arguments: argparse.Namespace, setting: Setting) -> PolicyServer:
    words = shlex.split(arguments.server)
    return PolicyServer([word.format(model=arguments.model, threads=arguments.threads, **asdict(setting))
                         for word in words])


def run_together(policy: PolicyServer, setting: Setting, seeds: list[int], progress: Progress,
                 warm: bool) -> list[EpisodeRecord]:
    """Runs episodes side by side, all their plans in one request; `warm`: each plan from what is left of the last."""
    episodes = [Episode(seed) for seed in seeds]
    nfe, windows, evaluations = dict.fromkeys(seeds, 0), dict.fromkeys(seeds, 0), dict.fromkeys(seeds, 0)
    while active := [episode for episode in episodes if not episode.is_over]:
        sessions = {"session": [episode.seed for episode in active], "executed": EXECUTED} if warm else {}
        answer = policy.plan([episode.observation for episode in active], [episode.plan_seed for episode in active],
                             **sessions)
        for episode, actions, calls, verified, rows in zip(active, answer["actions"], answer["nfe"], answer["windows"],
                                                           answer["evaluations"], strict=True):
            nfe[episode.seed] += calls
            windows[episode.seed] += verified
            evaluations[episode.seed] += rows
            episode.execute(actions)
        steps = max(episode.steps for episode in episodes)
        progress.show(f"{setting}: step {steps}, {len(active)} of {len(seeds)} episodes",
                      within=setting.steps * len(seeds) * steps / 300)
    return [EpisodeRecord(setting, episode.seed, episode.reward, episode.steps, episode.plans, nfe[episode.seed],
                          windows[episode.seed], evaluations[episode.seed]) for episode in episodes]


def latency(policy: PolicyServer, setting: Setting, plans: int) -> LatencyRecord:
    """Plans one at a time for the first observations of as many episodes, after one for warming up."""
    episodes = [Episode(FIRST_SEED + index) for index in range(plans)]
    policy.plan(episodes[0].observation, 0)
    return LatencyRecord(setting, [policy.plan(episode.observation, episode.plan_seed)["milliseconds"]
                                   for episode in episodes])


def run(arguments: argparse.Namespace, settings: list[Setting]) -> None:
    source = {"model": arguments.model, "server": arguments.server, "threads": arguments.threads}
    if arguments.warm:
        source["warm"] = True
    results = Results(arguments.out / "episodes.jsonl", source)
    seeds = range(FIRST_SEED, FIRST_SEED + arguments.episodes)
    missing = {setting: [seed for seed in seeds if (setting, seed) not in results.episodes] for setting in settings}
    progress = Progress(sum(setting.steps * len(left) for setting, left in missing.items()) or 1)
    for setting, left in missing.items():
        if not left and (setting in results.latencies or not arguments.latency):
            continue
        with server(arguments, setting) as policy:
            for start in range(0, len(left), arguments.together):
                group = left[start:start + arguments.together]
                results.append(run_together(policy, setting, group, progress, arguments.warm))
                progress.done += setting.steps * len(group)
                summary = results.summary(setting)
                progress.show("{}: {} episodes, reward {:.3f} ± {:.3f}, NFE {:.2f}".format(
                    setting, summary.episodes, *summary.reward, summary.nfe[0]), ends=True)
                write_tables(arguments.out, results, settings)
            if arguments.latency and setting not in results.latencies:
                results.append([latency(policy, setting, arguments.latency)])
        write_tables(arguments.out, results, settings)
    print(table(results, settings), end="")


def write_tables(folder: Path, results: Results, settings: list[Setting]) -> None:
    (folder / "table.md").write_text(table(results, settings))
    # One episode has no standard error: null.
    rows = [asdict(setting) | {name: [v if math.isfinite(v) else None for v in value] if isinstance(value, tuple) else value
                               for name, value in asdict(summary).items()}
            for setting in settings if (summary := results.summary(setting))]
    (folder / "table.json").write_text(json.dumps(rows, indent=2, allow_nan=False) + "\n")


def record(arguments: argparse.Namespace, setting: Setting) -> None:
    """One episode as a picture."""
    recorder = Recorder()
    episode = Episode(arguments.picture_seed)
    with server(arguments, setting) as policy:
        while not episode.is_over:
            answer = policy.plan(episode.observation, episode.plan_seed)
            episode.execute(answer["actions"], lambda image, plan=answer["actions"]: recorder.add(image, plan))
    recorder.save(arguments.picture)
    print(f"{setting}: seed {episode.seed}, reward {episode.reward:.3f} in {episode.steps} steps; {arguments.picture}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="PushT by a diffusion policy: plain against speculative sampling.")
    parser.add_argument("--model", default="pusht", help="as diffspec's: a bundled model or a folder (default: pusht)")
    parser.add_argument("--steps", type=int, default=100, help="K, sampling steps a plan")
    parser.add_argument("--window", type=int, default=20, help="L, steps that are drafted at a time")
    parser.add_argument("--draft", action="append", metavar="NAME",
                        help="a draft to run beside plain sampling, or none (repeatable; default: recycled)")
    parser.add_argument("--no-fallback", action="store_true",
                        help="draft always, as the paper does, even where nearly every draft is rejected")
    parser.add_argument("--warm", action="store_true", help="start each plan from what is left of the episode's last")
    parser.add_argument("--table", action="store_true", help="all settings of Table 2 instead of --steps and --window")
    parser.add_argument("--episodes", type=int, default=20, help="episodes a setting")
    parser.add_argument("--together", type=int, default=50, metavar="N", help="environments run side by side")
    parser.add_argument("--latency", type=int, default=10, metavar="N",
                        help="plans asked for one at a time to see how long one takes (0: none)")
    parser.add_argument("--threads", type=int, default=1, help="of the server")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for the results")
    parser.add_argument("--picture", type=Path, metavar="FILE",
                        help="record one episode of the last setting instead, as .gif or as a .png strip")
    parser.add_argument("--picture-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--server", default=SERVER, metavar="COMMAND",
                        help="the server's command (default: %(default)s)")
    arguments = parser.parse_args()
    if arguments.no_fallback:
        arguments.server += " --no-fallback"
    for name, least in (("steps", 1), ("window", 1), ("episodes", 1), ("together", 1), ("latency", 0), ("threads", 1)):
        if getattr(arguments, name) < least:
            parser.error(f"--{name} must be at least {least}")
    if arguments.picture and arguments.picture.suffix not in (".gif", ".png"):
        parser.error("--picture must end in .gif or .png")
    return arguments


def main() -> None:
    arguments = parse_arguments()
    rows = TABLE_2 if arguments.table else ((arguments.steps, arguments.window),)
    drafts = dict.fromkeys(["none", *(arguments.draft or ["recycled"])])
    settings = [Setting(steps, window, draft) for steps, window in rows for draft in drafts]
    try:
        if arguments.picture:
            record(arguments, settings[-1])
        else:
            run(arguments, settings)
    except (ServerError, OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("\nstopped; the same command resumes the run") from None


if __name__ == "__main__":
    main()
