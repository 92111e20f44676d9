"""What was run, kept as JSON lines so that a run can be stopped and resumed, and the table made from it."""

import json
import math
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Setting:
    """How plans are sampled. `draft` "none" is plain sampling."""

    steps: int
    window: int
    draft: str

    @property
    def is_plain(self) -> bool:
        return self.draft == "none"

    def __str__(self) -> str:
        return f"K {self.steps}, plain" if self.is_plain else f"K {self.steps}, L {self.window}, {self.draft}"


@dataclass(frozen=True)
class EpisodeRecord:
    """One episode: its reward, and of all its plans the sequential network calls (NFE), the windows, which are those calls
    that verified drafts, and the evaluated rows."""

    setting: Setting
    seed: int
    reward: float
    steps: int
    plans: int
    nfe: int
    windows: int
    evaluations: int


@dataclass(frozen=True)
class LatencyRecord:
    """The times of plans that were asked for one at a time."""

    setting: Setting
    milliseconds: list[float]


@dataclass(frozen=True)
class Summary:
    """Means over episodes with standard errors."""

    episodes: int
    reward: tuple[float, float]
    nfe: tuple[float, float]
    windows: tuple[float, float]
    evaluations: float
    milliseconds: float | None


class Results:
    """The records of a file, which new ones are appended to. All are of one source: a model and the server's command."""

    def __init__(self, path: Path, source: dict[str, str | int]) -> None:
        self.path, self.source = path, source
        self.episodes: dict[tuple[Setting, int], EpisodeRecord] = {}
        self.latencies: dict[Setting, LatencyRecord] = {}
        if path.exists():
            for number, line in enumerate(path.read_text().splitlines(), 1):
                try:
                    content = json.loads(line)
                    if number > 1:
                        self._take(content)
                    elif content != {"source": source}:
                        raise ValueError(f"the results are of {content.get('source')}, not of {source}; name another --out")
                except (ValueError, TypeError, KeyError) as error:
                    raise ValueError(f"{path}, line {number}: {error}") from error

    def _take(self, content: dict) -> None:
        setting = Setting(**content.pop("setting"))
        if "seed" in content:
            self.episodes[setting, content["seed"]] = EpisodeRecord(setting, **content)
        else:
            self.latencies[setting] = LatencyRecord(setting, **content)

    def append(self, records: Iterable[EpisodeRecord | LatencyRecord]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_new = not self.path.exists()
        with self.path.open("a") as file:
            if is_new:
                file.write(json.dumps({"source": self.source}) + "\n")
            for record in records:
                file.write(json.dumps(asdict(record)) + "\n")
                self._take(asdict(record))

    def summary(self, setting: Setting) -> Summary | None:
        records = [record for (other, _), record in self.episodes.items() if other == setting]
        if not records:
            return None
        latency = self.latencies.get(setting)
        plans = sum(record.plans for record in records)
        return Summary(
            episodes=len(records),
            reward=mean_and_error([record.reward for record in records]),
            # Plans weigh alike; the standard error is that of a ratio of means over episodes.
            nfe=ratio_and_error([record.nfe for record in records], [record.plans for record in records]),
            windows=ratio_and_error([record.windows for record in records], [record.plans for record in records]),
            evaluations=sum(record.evaluations for record in records) / plans,
            milliseconds=statistics.median(latency.milliseconds) if latency else None,
        )

    def difference(self, setting: Setting, plain: Setting) -> tuple[float, float] | None:
        """Reward over plain sampling's, episode by episode from the same initial state, with its standard error."""
        pairs = [record.reward - self.episodes[plain, seed].reward for (other, seed), record in self.episodes.items()
                 if other == setting and (plain, seed) in self.episodes]
        return mean_and_error(pairs) if pairs else None


def mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean and its standard error (infinite for one value)."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.inf
    return statistics.fmean(values), error


def ratio_and_error(above: list[float], below: list[float]) -> tuple[float, float]:
    """`Σ above / Σ below` and its standard error by linearisation."""
    ratio = sum(above) / sum(below)
    _, error = mean_and_error([a - ratio * b for a, b in zip(above, below, strict=True)])
    return ratio, error / statistics.fmean(below)


def table(results: Results, settings: list[Setting]) -> str:
    """A Markdown table, a row a setting."""
    lines = [
        "| K | L | draft | episodes | reward | minus plain | NFE a plan | windows a plan | evaluations a plan | ms a plan |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for setting in settings:
        if (summary := results.summary(setting)) is None:
            continue
        plain = Setting(setting.steps, setting.window, "none")
        difference = None if setting.is_plain else results.difference(setting, plain)
        cells = [
            setting.steps, "" if setting.is_plain else setting.window, "plain" if setting.is_plain else setting.draft,
            summary.episodes, "{:.3f} ± {:.3f}".format(*summary.reward),
            "{:+.3f} ± {:.3f}".format(*difference) if difference else "",
            f"{summary.nfe[0]:.0f}" if setting.is_plain else "{:.2f} ± {:.2f}".format(*summary.nfe),
            "" if setting.is_plain else "{:.2f} ± {:.2f}".format(*summary.windows),
            f"{summary.evaluations:.1f}", "" if summary.milliseconds is None else f"{summary.milliseconds:.1f}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines) + "\n"
