"""Clients at a policy's socket, among whose requests many are malformed: each must be answered, and nothing must leak.

    python3 Benchmarks/hardening/policy_clients.py .build/release/diffspec FOLDER [--requests 1000] [--clients 8]

FOLDER is a LeRobot policy. Every eighth client's connection is dropped in the middle of a request now and then. A good request
must get the plan that it gets alone, to the bit. Printed are the answers by kind, plans a second, the descriptors of the server
before and after, and its memory after a tenth of the requests and at the end.
"""

import argparse
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import shared_memory
from pathlib import Path

MALFORMED = [
    "", "x", "{", "[]", "null", '{"observation": 1}', '{"observation": {}}', '{"observation": {"a": 1}}',
    '{"observation": [[1, 2]]}', "[" * 500, '{"observation": {"observation.state": [[1e999]]}}', "\x00\x01",
    '{"observation": {"observation.image": ["/nowhere.png"]}}',
    '{"observation": {"observation.image": [{"base64": "AAAA"}]}}',
    '{"observation": {"observation.image": [{"shared_memory": "/nowhere"}]}}',
]


def observation(config: dict, number: int, memory: str) -> dict:
    steps = config["n_obs_steps"]
    seen = {}
    for name, feature in config["input_features"].items():
        if feature["type"] == "VISUAL":
            seen[name] = [{"shared_memory": memory}] * steps
        else:
            seen[name] = [[(number + i + step) % 7 / 7 for i in range(feature["shape"][0])] for step in range(steps)]
    return seen


class Client(threading.Thread):
    def __init__(self, path: str, lines: list[tuple[str, str]], breaks: bool) -> None:
        super().__init__()
        self.path, self.lines, self.breaks = path, lines, breaks
        self.answers: list[tuple[str, dict]] = []

    def run(self) -> None:
        connection, reader = self.connect()
        for index, (kind, line) in enumerate(self.lines):
            if self.breaks and index % 16 == 15:
                connection.sendall(line[: len(line) // 2].encode())
                connection.close()
                connection, reader = self.connect()
            connection.sendall(line.encode() + b"\n")
            self.answers.append((kind, json.loads(reader.readline())))
        connection.close()

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self.path)
        return connection, connection.makefile("r")


def kilobytes(process: int) -> int:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


def descriptors(process: int) -> int:
    return len(os.listdir(f"/proc/{process}/fd"))


def run(path: str, config: dict, requests: int, clients: int, memory: str) -> list[tuple[str, dict]]:
    generator = random.Random(requests)
    threads = []
    for client in range(clients):
        lines = []
        for _ in range(client, requests, clients):
            number = generator.randrange(20)
            good = json.dumps({"observation": observation(config, number, memory), "seed": number, "id": number})
            lines.append(("bad", generator.choice(MALFORMED)) if generator.random() < 0.4 else ("good", good))
        threads.append(Client(path, lines, breaks=client % 8 == 7))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answer for thread in threads for answer in thread.answers]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("folder")
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=8)
    options = parser.parse_args()
    config = json.loads((Path(options.folder) / "config.json").read_text())
    size = max([1] + [3 * feature["shape"][1] * feature["shape"][2] for feature in config["input_features"].values()
                      if feature["type"] == "VISUAL"])
    camera = shared_memory.SharedMemory(create=True, size=size)
    camera.buf[:size] = bytes(index * 7 % 256 for index in range(size))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/policy"
        server = subprocess.Popen([options.program, "policy", "--model", options.folder, "--socket", path],
                                  stdout=subprocess.PIPE, text=True)
        print(server.stdout.readline().strip())
        memory = "/" + camera.name.lstrip("/")
        run(path, config, options.requests // 10, options.clients, memory)
        early, before = kilobytes(server.pid), descriptors(server.pid)
        start = time.monotonic()
        answers = run(path, config, options.requests, options.clients, memory)
        seconds = time.monotonic() - start
        time.sleep(0.5)
        late, after = kilobytes(server.pid), descriptors(server.pid)
        server.send_signal(signal.SIGTERM)
        server.wait()
    camera.close()
    camera.unlink()

    plans: dict[int, list] = {}
    faults = 0
    for kind, answer in answers:
        if kind == "bad":
            faults += "error" not in answer
        else:
            faults += "actions" not in answer or plans.setdefault(answer["id"], answer["actions"]) != answer["actions"]
    good = sum(kind == "good" for kind, _ in answers)
    print(f"{len(answers)} answers: {good} plans ({good / seconds:.1f} a second), {len(answers) - good} refusals, {faults} wrong")
    print(f"descriptors {before} before, {after} after; memory {early / 1024:.1f} MiB early, {late / 1024:.1f} MiB at the end")
    leaks = after > before or late > 1.05 * early + 1024
    return int(len(answers) != options.requests or faults > 0 or leaks or server.returncode != 143)


if __name__ == "__main__":
    sys.exit(main())
