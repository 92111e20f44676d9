"""Do two builds of diffspec give the same bits?

    python3 Benchmarks/compare_builds.py OLD/.build/release/diffspec NEW/.build/release/diffspec [--mpi OLD-MPI NEW-MPI]

Runs the same command lines with both, on this machine, and compares raw samples byte for byte, and reports key by key.
Keys that only the new build has are left aside, as are those that tell the time. Where an option was renamed, or means
something else, the new build gets the words of `RENAMED`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "Tests/NeuralNetworkTests/Fixtures"

DRAFTS = ["recycled", "recycled-zeroth", "assisted", "corrected", "frozen-denoiser", "frozen", "frozen-fresh",
          "frozen-previous", "independent", "picard:1", "mixture:frozen=0.3,recycled=0.7", "mixture:learnt", "none"]
RULES = ["reflection", "rejection", "temperature:2", "typical:inf,0.5", "projection:pool:2"]

# How the new build is asked for the same: command, old words, new words.
RENAMED = [
    # One vocabulary of drafts: what langevin called frozen keeps the linear part of the force.
    ("langevin", ["--draft", "frozen"], ["--draft", "frozen-denoiser"]),
    ("langevin", ["--draft", "proxy"], ["--draft", "independent"]),
    # One rule of fallback for all commands: these had none.
    ("langevin", [], ["--no-fallback"]),
    ("mixture", [], ["--no-fallback"]),
    ("sweep", [], ["--no-fallback"]),
    ("record", [], ["--no-fallback"]),
    # What each command calls the number of what it makes.
    ("langevin", ["--chains"], ["--count"]),
    ("couple", ["--samples"], ["--count"]),
    ("survival", ["--particles"], ["--count"]),
    ("record", ["--out"], ["--examples"]),
    ("sweep", ["--plot"], ["--out"]),
]
# Keys whose values may differ: clocks, the program's version, and names that changed by the list above.
CHANGING = {"wall_seconds", "wall", "seconds", "milliseconds", "encoding_milliseconds",
            "planning_milliseconds", "versions", "call_times", "call_seconds",
            "computing_seconds"}
CHANGED_NAMES = {("langevin", "draft")}


def renamed(words: list[str]) -> list[str]:
    """The words for the new build."""
    result = list(words)
    for command, old, new in RENAMED:
        if words[0] != command:
            continue
        if not old:
            result += new
            continue
        for place in range(len(result) - len(old) + 1):
            if result[place:place + len(old)] == old:
                result[place:place + len(old)] = new
                break
    return result


def difference(old: object, new: object, command: str, path: str = "") -> str | None:
    """The first place where what the old build says is not what the new one says."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key in CHANGING or (command, key) in CHANGED_NAMES:
                continue
            if key not in new:
                if value is None:
                    continue
                return f"{path}.{key} is missing"
            if found := difference(value, new[key], command, f"{path}.{key}"):
                return found
        return None
    if isinstance(old, list) and isinstance(new, list):
        if len(old) != len(new):
            return f"{path} has {len(old)} elements, now {len(new)}"
        places = (difference(a, b, command, f"{path}[{i}]") for i, (a, b) in enumerate(zip(old, new, strict=True)))
        return next((found for found in places if found), None)
    return None if old == new else f"{path} is {str(old)[:60]}, now {str(new)[:60]}"


def parsed(path: Path) -> object:
    """A file of JSON, or of JSON lines."""
    text = path.read_text()
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.startswith(("{", "["))]


class Comparison:
    """Both builds, each with a folder of its own that holds the same inputs."""

    def __init__(self, programs: list[list[str]], folder: Path) -> None:
        self.programs, self.folders = programs, [folder / "old", folder / "new"]
        self.failed = self.compared = 0
        for each in self.folders:
            make_inputs(each)

    def run(self, words: list[str], files: list[str], stdin: str | None = None) -> None:
        """One command line; `files` are what it writes, `-` its standard output as JSON."""
        problem = None
        for program, each, line in zip(self.programs, self.folders, [words, renamed(words)], strict=True):
            with (each / "stdin").open("w") as file:
                file.write(stdin or "")
            with (each / "stdin").open() as given, (each / "-").open("w") as output:
                ended = subprocess.run(program + line, cwd=each, stdin=given, stdout=output, stderr=subprocess.PIPE,
                                       text=True, env=os.environ | {"OMPI_ALLOW_RUN_AS_ROOT": "1",
                                                                    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
            if ended.returncode != 0:
                problem = f"{Path(program[-1]).name} ended with {ended.returncode}: {ended.stderr.strip()[:200]}"
        for name in files if problem is None else []:
            old, new = (each / name for each in self.folders)
            if name == "-" or name.endswith(".json"):
                problem = problem or difference(parsed(old), parsed(new), words[0])
            elif old.read_bytes() != new.read_bytes():
                problem = problem or f"{name} differs"
        self.compared += 1
        self.failed += problem is not None
        print(f"{'same' if problem is None else 'OTHER'}  {' '.join(words)[:140]}{'' if problem is None else ': ' + problem}",
              flush=True)


def write_tensor(path: Path, name: str, shape: list[int], values: list[float]) -> None:
    """A safetensors file with one Float32 tensor."""
    import struct
    data = struct.pack(f"<{len(values)}f", *values)
    header = json.dumps({name: {"dtype": "F32", "shape": shape, "data_offsets": [0, len(data)]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + data)


def make_inputs(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "q.json").write_text("[0.1, 0.25, 0.3, 0.05, 0.2, 0.1]")
    (folder / "p.json").write_text("[0.3, 0.05, 0.15, 0.25, 0.2, 0.05]")
    (folder / "text.txt").write_text("the cat sat on the mat, the dog sat on the cat, and the mat sat on the dog. " * 4)
    write_tensor(folder / "projection.safetensors", "projection", [3, 784],
                 [((7 * i) % 11 - 5) / 5 for i in range(3 * 784)])
    # A model without classes with a DDPM's own scheduler, which serves as an autoencoder too.
    shutil.copytree(FIXTURES / "ddpm-cifar10-narrow", folder / "ddpm")
    (folder / "ddpm/scheduler_config.json").write_text(json.dumps(
        {"_class_name": "DDPMScheduler", "num_train_timesteps": 1000, "beta_schedule": "linear",
         "variance_type": "fixed_large", "clip_sample": True, "prediction_type": "epsilon"}))


def image_cases(compare: Comparison) -> None:
    sample = ["sample", "--steps", "20", "--window", "8", "--count", "3", "--seed", "5", "--tensors", "t.safetensors",
              "--report", "r.json", "--out", "g.png", "--quiet"]
    files = ["t.safetensors", "r.json", "g.png"]
    for draft in DRAFTS:
        compare.run([*sample, "--draft", draft], files)
    for rule in [*RULES, "projection:projection.safetensors"]:
        compare.run([*sample, "--rule", rule], files)
    for words in [["--spacing", "edm"], ["--schedule", "flow"], ["--schedule", "vp-linear"], ["--guidance", "0.5"],
                  ["--churn", "0"], ["--churn", "1"], ["--denoise-last-step"], ["--temperature", "0.5"],
                  ["--class", "Bag", "--class", "3"], ["--window", "adaptive"], ["--window", "1"], ["--no-fallback"],
                  ["--batch", "2"], ["--threads", "1"], ["--steps", "5", "--churn", "0.01"],
                  ["--guidance", "1", "--draft", "corrected"]]:
        compare.run([*sample, *words], files)
    ddpm = [*sample, "--model", "ddpm", "--steps", "6", "--count", "2"]
    for words in [[], ["--chain", "ddpm"], ["--chain", "ddpm", "--draft", "frozen"], ["--chain", "ddpm", "--draft", "none"],
                  ["--rule", "autoencoder:ddpm"]]:
        compare.run([*ddpm, *words], files)
    compare.run(["compare", "--steps", "12", "--count", "4", "--report", "c.json", "--out", "c.png", "--quiet"],
                ["c.json", "c.png"])
    compare.run(["sweep", "--steps", "8", "--count", "2", "--all-drafts", "frozen,recycled", "--all-churn", "0.25,1",
                 "--all-temperatures", "1,2", "--report", "s.json", "--quiet"], ["s.json"])
    compare.run(["survival", "--steps", "12", "--horizon", "5", "--particles", "6", "--json"], ["-"])
    compare.run(["record", "--steps", "8", "--rows", "40", "--batch", "2", "--out", "examples.safetensors", "--quiet"],
                ["examples.safetensors"])
    for model in ["fashion-mnist", "pusht", "mixture-2", "ddpm"]:
        compare.run(["inspect", model, "--json"], ["-"])


def job_cases(compare: Comparison) -> None:
    job = ["sample", "--steps", "10", "--count", "5", "--samples", "job", "--quiet"]
    for shard in ["1/2", "2/2"]:
        compare.run([*job, "--shard", shard, "--tensors", f"s{shard[0]}.safetensors", "--report", "s.json"],
                    [f"s{shard[0]}.safetensors", "s.json"])
    compare.run(["merge", "job", "--samples", "joined", "--tensors", "all.safetensors", "--report", "all.json", "--quiet"],
                ["all.safetensors", "all.json", "joined/000000.png", "joined/000004.png"])


def policy_cases(compare: Comparison) -> None:
    observation = [[222, 97, 222, 381, 3.0], [225, 99, 222, 381, 3.0]]
    moved = [[value + step for value in row] for step, row in enumerate(observation)]
    requests = [{"observation": observation, "seed": seed} for seed in range(6)]
    requests += [{"observation": [observation, moved], "seed": [7, 8], "id": "two"}, {"observation": moved},
                 {"observation": "none", "id": 3}, {"observation": observation}]
    text = "".join(json.dumps(request) + "\n" for request in requests)
    for words in [[], ["--draft", "none"], ["--steps", "10", "--window", "10", "--draft", "frozen"],
                  ["--steps", "20", "--spacing", "trailing"], ["--temperature", "2", "--window", "adaptive"]]:
        compare.run(["policy", *words], ["-"], stdin=text)


def laboratory_cases(compare: Comparison) -> None:
    langevin = ["langevin", "--steps", "300", "--chains", "4", "--seed", "3", "--report", "l.json", "--quiet"]
    for energy in ["phi4", "gaussian", "mixture", "logistic"]:
        compare.run([*langevin, "--energy", energy], ["l.json"])
    for draft in ["frozen", "frozen-fresh", "recycled-zeroth", "none"]:
        compare.run([*langevin, "--draft", draft], ["l.json"])
    compare.run([*langevin, "--draft", "proxy"], ["l.json"])
    mixture = ["mixture", "--count", "60", "--steps", "30", "--seed", "2", "--report", "m.json", "--quiet"]
    for words in [[], ["--draft", "frozen"], ["--draft", "independent"], ["--draft", "none", "--dimension", "5"],
                  ["--model", "mixture-2"], ["--model", "mixture-2", "--draft", "independent", "--draft-model",
                                             "mixture-2-draft"]]:
        compare.run([*mixture, *words], ["m.json"])


def finite_cases(compare: Comparison) -> None:
    for rule in ["maximal", "gumbel", "minhash", "low-communication", "naive", "kseq", "specinfer", "importance",
                 "importance-truncated", "lp", "max-flow", "global-resolution"]:
        for drafts in ["1", "2", "3"]:
            compare.run(["couple", "--target", "q.json", "--draft", "p.json", "--rule", rule, "--drafts", drafts,
                         "--samples", "200", "--seed", "9", "--json"], ["-"])
    for words in [[], ["--rule", "gumbel"], ["--rule", "specinfer", "--drafts", "2"]]:
        compare.run(["decode", "--text", "text.txt", "--tokens", "30", "--order", "3", "--draft-order", "2", "--prompt",
                     "the ", "--seed", "4", "--json", *words], ["-"])


def mpi_cases(programs: list[str], folder: Path) -> Comparison:
    compare = Comparison([["mpirun", "--oversubscribe", "-n", "2", program] for program in programs], folder)
    for mode in ["samples", "window"]:
        compare.run(["sample", "--parallel", mode, "--steps", "10", "--count", "3", "--tensors", "t.safetensors",
                     "--report", "r.json", "--threads", "1", "--quiet"], ["t.safetensors", "r.json"])
    return compare


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--mpi", nargs=2, metavar=("OLD", "NEW"), help="diffspec-mpi of both builds")
    arguments = parser.parse_args()
    programs = [[str(Path(program).resolve())] for program in (arguments.old, arguments.new)]
    with tempfile.TemporaryDirectory() as scratch:
        compare = Comparison(programs, Path(scratch) / "one")
        for cases in (image_cases, job_cases, policy_cases, laboratory_cases, finite_cases):
            cases(compare)
        compared, failed = compare.compared, compare.failed
        if arguments.mpi:
            several = mpi_cases([str(Path(program).resolve()) for program in arguments.mpi], Path(scratch) / "mpi")
            compared, failed = compared + several.compared, failed + several.failed
    print(f"{compared - failed} of {compared} command lines give the same bits")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
