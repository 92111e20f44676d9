"""Full disks, read-only folders, closed outputs, and signals at random moments.

    python3 Benchmarks/hardening/hostile_system.py .build/release/diffspec --signals 200

After each run: the right exit status, at most one line of error, no file that is not whole, and of a job's folder a state
that can be resumed. Needs no rights; as root it mounts a small tmpfs for the full disk and tries read-only folders as
another user, otherwise a limit on the size of files stands in for the disk.
"""

import argparse
import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

NOBODY = 65534
QUICK = ["--model", "fashion-mnist-draft", "--steps", "8", "--window", "4", "--threads", "1"]
JOB = ["sample", *QUICK, "--count", "40", "--samples", "images", "--tensors", "t.safetensors", "--report", "r.json", "--resume"]
COMMANDS = [
    JOB,
    ["sample", *QUICK, "--count", "40", "--tensors", "t.safetensors", "--report", "r.json"],
    ["compare", *QUICK, "--count", "12", "--out", "c.png", "--report", "r.json", "--tensors", "t.safetensors"],
    ["mixture", "--report", "m.json", "--out", "m.png", "--steps", "50", "--count", "2000"],
    ["langevin", "--report", "l.json", "--out", "l.png", "--steps", "1000", "--count", "8", "--tail", "100"],
    ["calibrate", "model", "--count", "64"],
]
failures: list[str] = []


def fail(text: str) -> None:
    print(f"FAILED: {text}", flush=True)
    failures.append(text)


def is_whole(path: Path) -> bool:
    data = path.read_bytes()
    if path.suffix == ".png":
        if data[:8] != b"\x89PNG\r\n\x1a\n":
            return False
        place = 8
        while place + 12 <= len(data):
            (length,) = struct.unpack(">I", data[place : place + 4])
            body = data[place + 4 : place + 8 + length]
            if zlib.crc32(body) != struct.unpack(">I", data[place + 8 + length : place + 12 + length])[0]:
                return False
            place += 12 + length
            if body[:4] == b"IEND":
                return place == len(data)
        return False
    if path.suffix == ".json":
        json.loads(data)
        return True
    if path.suffix == ".safetensors":
        (length,) = struct.unpack("<Q", data[:8])
        header = json.loads(data[8 : 8 + length])
        return 8 + length + max(t["data_offsets"][1] for n, t in header.items() if n != "__metadata__") == len(data)
    return True


def check_files(folder: Path, what: str, is_job: bool) -> None:
    for path in folder.rglob("*"):
        name = path.name
        if path.is_dir() or "model" in path.parts:
            # Of a model's folder only the file that calibrate writes.
            if name.endswith(".partial"):
                fail(f"{what}: {path} was left behind")
            continue
        if name.endswith(".partial"):
            if not (is_job and name == "t.safetensors.partial"):
                fail(f"{what}: {path} was left behind")
        elif not name.endswith(".lock") and not is_whole(path):
            fail(f"{what}: {path} is not whole")


def check_errors(errors: str, what: str) -> None:
    lines = [line for line in errors.splitlines() if not line.startswith("warning:")]
    if len(lines) != 1 or not lines[0].startswith("error: "):
        fail(f"{what}: expected one line of error, found {lines[:5]}")


def fresh(program: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="diffspec-hostile-"))
    shutil.copytree(Path(program).parents[2] / "weights/fashion-mnist-draft", folder / "model")
    folder.chmod(0o755)
    return folder


def signals(program: str, count: int, seed: int) -> None:
    moments = random.Random(seed)
    outcomes: dict[str, int] = {}
    durations: dict[int, float] = {}
    for number in range(count):
        index = number % len(COMMANDS)
        command = COMMANDS[index]
        which = moments.choice([signal.SIGINT, signal.SIGTERM])
        folder = fresh(program)
        if index not in durations:
            start = time.monotonic()
            done = subprocess.run([program, *command], cwd=folder, capture_output=True, text=True)
            durations[index] = time.monotonic() - start
            if done.returncode != 0:
                fail(f"{command[0]} by itself: {done.stderr}")
            shutil.rmtree(folder)
            folder = fresh(program)
        process = subprocess.Popen([program, *command], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        time.sleep(moments.uniform(0, durations[index]))
        process.send_signal(which)
        _, errors = process.communicate()
        status = process.returncode
        what = f"signal {number}, {which.name} at {' '.join(command[:2])}"
        if status == 128 + which:
            check_errors(errors, what)
            outcomes["stopped"] = outcomes.get("stopped", 0) + 1
        elif status == -which:
            # Before the program listens, and when it is through, the signal's own way; a shell calls that 128 + n as well.
            outcomes["ended by the signal itself"] = outcomes.get("ended by the signal itself", 0) + 1
        elif status == 0:
            outcomes["was done"] = outcomes.get("was done", 0) + 1
        else:
            fail(f"{what}: status {status}, {errors}")
        check_files(folder, what, command is JOB)
        if command is JOB:
            resumed = subprocess.run([program, *JOB], cwd=folder, capture_output=True, text=True)
            if resumed.returncode != 0:
                fail(f"{what}: cannot be resumed, {resumed.stderr}")
            check_files(folder, what + ", resumed", False)
        shutil.rmtree(folder)
    print(f"signals: {count} sent, {outcomes}", flush=True)


def mount(folder: Path, size: int) -> bool:
    return subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", str(folder)], capture_output=True).returncode == 0


def full_disk(program: str) -> None:
    """Every command, with room for less and less of its output."""
    runs, refused, mounted = 0, 0, False
    for command in COMMANDS:
        for kilobytes in [0, 4, 8, 16, 32, 64, 128, 1024]:
            folder = fresh(program)
            model_size = sum(path.stat().st_size for path in (folder / "model").iterdir()) // 1024 + 64
            shutil.rmtree(folder / "model")
            mounted = mount(folder, model_size + kilobytes)
            shutil.copytree(Path(program).parents[2] / "weights/fashion-mnist-draft", folder / "model")

            def limit(size: int = kilobytes) -> None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (size * 1024, size * 1024))

            done = subprocess.run(
                [program, *command], cwd=folder, capture_output=True, text=True, preexec_fn=None if mounted else limit)
            runs += 1
            what = f"{kilobytes} KiB for {' '.join(command[:2])}"
            if done.returncode == 1:
                refused += 1
                check_errors(done.stderr, what)
            elif done.returncode != 0:
                fail(f"{what}: status {done.returncode}, {done.stderr}")
            check_files(folder, what, command is JOB)
            if command is JOB:
                if mounted:
                    subprocess.run(["mount", "-o", "remount,size=64m", str(folder)], check=True)
                resumed = subprocess.run([program, *JOB], cwd=folder, capture_output=True, text=True)
                if resumed.returncode != 0:
                    fail(f"{what}: cannot be resumed, {resumed.stderr}")
                check_files(folder, what + ", resumed", False)
            if mounted:
                subprocess.run(["umount", str(folder)], check=True)
            shutil.rmtree(folder)
    print(f"full disk ({'tmpfs' if mounted else 'limit on file size'}): {runs} runs, {refused} of them refused", flush=True)


def read_only(program: str) -> None:
    runs = 0
    for command in COMMANDS:
        folder = fresh(program)
        options = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        if not options:
            folder.chmod(0o555)
        before = sorted(folder.rglob("*"))
        done = subprocess.run([program, *command], cwd=folder, capture_output=True, text=True, **options)
        if done.returncode != 1:
            fail(f"read-only folder for {command[0]}: status {done.returncode}, {done.stderr}")
        check_errors(done.stderr, f"read-only folder for {command[0]}")
        if sorted(folder.rglob("*")) != before:
            fail(f"read-only folder for {command[0]}: something was written")
        folder.chmod(0o755)
        shutil.rmtree(folder)
        runs += 1
    print(f"read-only folders: {runs} runs", flush=True)


def closed_outputs(program: str) -> None:
    runs = 0
    answers = [["models"], ["inspect", "fashion-mnist-draft"], ["limit", "acceptance", "--distance", "1"]]
    for command in [*COMMANDS, *answers]:
        for output in [">&-", ">/dev/full", "| true", "2>&- >/dev/null", "<&- >&-"]:
            folder = fresh(program)
            words = " ".join([program, *command])
            script = f"{words} {output}; exit ${{PIPESTATUS[0]}}"
            done = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True)
            what = f"{command[0]} {output}"
            # What is lost in a pipe that nobody reads may have been written before the reader had gone.
            allowed = {0} if output.startswith("2>") else {0, 1} if output == "| true" else {1}
            if done.returncode not in allowed:
                fail(f"{what}: status {done.returncode}, {done.stderr}")
            if done.returncode == 1:
                check_errors(done.stderr, what)
            check_files(folder, what, command is JOB)
            shutil.rmtree(folder)
            runs += 1
    print(f"closed outputs: {runs} runs", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--signals", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=["outputs", "folders", "disk", "signals"])
    arguments = parser.parse_args()
    program = str(Path(arguments.program).absolute())
    checks = {
        "outputs": lambda: closed_outputs(program), "folders": lambda: read_only(program),
        "disk": lambda: full_disk(program), "signals": lambda: signals(program, arguments.signals, arguments.seed),
    }  # fmt: skip
    for name, check in checks.items():
        if arguments.only in (None, name):
            check()
    if failures:
        sys.exit(f"{len(failures)} failures")
    print("all as it should be")


if __name__ == "__main__":
    main()
