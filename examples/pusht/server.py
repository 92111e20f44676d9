"""A policy server as a subprocess: `diffspec policy`, or anything that speaks its JSON lines."""

import json
import subprocess
from types import TracebackType
from typing import Any


class ServerError(Exception):
    """The server could not be started, ended, or answered with an error."""


class PolicyServer:
    def __init__(self, command: list[str]) -> None:
        self.command = command
        try:
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        except OSError as error:
            raise ServerError(f"cannot start {command[0]}: {error.strerror}; give its path with --server") from error

    def __enter__(self) -> "PolicyServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()
        if self.process.poll() is None and kind is not None:
            self.process.terminate()
        self.process.wait()

    def plan(self, observation: list, seed: int | list[int], **options: Any) -> dict[str, Any]:
        """Asks for one plan (`observation` [2, 5] and a seed) or several ([N, 2, 5] and N seeds).

        Options are sent as they are: `session`, a name (or N of them) for plans that follow each other, with `executed`, how
        many actions of the last plan have been taken.

        Returns `actions` [16, 2] (or [N, 16, 2]), `nfe` and `evaluations` (numbers or lists of N), and the time in
        `milliseconds`.
        """
        try:
            self.process.stdin.write(json.dumps({"observation": observation, "seed": seed} | options) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ServerError(f"`{' '.join(self.command)}` ended with exit status {self.process.wait()}")
        answer = json.loads(line)
        if "error" in answer:
            raise ServerError(f"the server answered: {answer['error']}")
        return answer
