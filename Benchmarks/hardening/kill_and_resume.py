"""Kills a job again and again, at random moments, and compares what it ends with to an uninterrupted job's files.

    python3 Benchmarks/hardening/kill_and_resume.py .build/release/diffspec --count 2000 --kills 50

Every process is ended by SIGKILL (or, with --signal, another) after a random time, and the same command is started again with
--resume. In the end pictures, raw samples, grid and report must be those of the job that nobody disturbed; of the report and
the manifest only calls and seconds may differ, which tell of the work and not of the samples.
"""

import argparse
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ACCOUNT_OF_THE_WORK = {"calls", "wall_seconds", "seconds"}


def command(program: str, count: int, threads: int) -> list[str]:
    return [
        program, "sample", "--model", "fashion-mnist-draft", "--steps", "8", "--window", "4", "--count", str(count),
        "--threads", str(threads), "--quiet", "--samples", "images", "--tensors", "images.safetensors",
        "--report", "report.json", "--out", "grid.png",
    ]  # fmt: skip


def contents(folder: Path) -> dict[str, object]:
    """Every file by its path; of JSON what tells of the samples."""
    files: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            continue
        name = str(path.relative_to(folder))
        if path.suffix == ".json":
            value = json.loads(path.read_text())
            files[name] = {key: item for key, item in value.items() if key not in ACCOUNT_OF_THE_WORK}
        else:
            files[name] = path.read_bytes()
    return files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--signal", default="SIGKILL", choices=["SIGKILL", "SIGTERM", "SIGINT"])
    arguments = parser.parse_args()
    program = str(Path(arguments.program).resolve())
    run = command(program, arguments.count, arguments.threads)
    moments = random.Random(arguments.seed)
    number = getattr(signal, arguments.signal)

    with tempfile.TemporaryDirectory() as name:
        whole, killed = Path(name, "whole"), Path(name, "killed")
        whole.mkdir()
        killed.mkdir()
        start = time.monotonic()
        subprocess.run(run, cwd=whole, check=True)
        duration = time.monotonic() - start
        print(f"uninterrupted: {arguments.count} samples in {duration:.1f} s", flush=True)

        kills, attempts = 0, 0
        while kills < arguments.kills:
            attempts += 1
            process = subprocess.Popen([*run, "--resume"], cwd=killed, stderr=subprocess.PIPE)
            # So that the kills are spread over the whole job, with some in a process's first moments.
            pause = moments.uniform(0, 2 * duration / arguments.kills)
            try:
                process.wait(timeout=pause)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                status = process.wait()
                expected = -number if number == signal.SIGKILL else 128 + number
                errors = process.stderr.read().decode()
                # In its first moments, before it listens to signals, a program ends by the signal itself.
                if status not in (expected, -number):
                    sys.exit(f"kill {kills}: status {status}; {errors}")
                kills += 1
                continue
            if process.returncode != 0:
                sys.exit(f"attempt {attempts} failed: {process.stderr.read().decode()}")
            if kills < arguments.kills:
                print(f"done after {kills} kills; it is completed once more with each further one", flush=True)
                # A finished job that is resumed checks all its files: a good moment to be killed, too.
        subprocess.run([*run, "--resume"], cwd=killed, check=True)

        expected, found = contents(whole), contents(killed)
        if expected.keys() != found.keys():
            sys.exit(f"other files: {sorted(expected.keys() ^ found.keys())[:10]}")
        different = [name for name in expected if expected[name] != found[name]]
        if different:
            sys.exit(f"{len(different)} files differ: {different[:10]}")
        print(f"{arguments.kills} times ended by {arguments.signal} in {attempts} attempts: all {len(expected)} files equal")


if __name__ == "__main__":
    main()
