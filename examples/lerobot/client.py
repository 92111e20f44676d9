#!/usr/bin/env python3
"""A robot's side of `diffspec policy --model FOLDER --socket PATH`: observations in, a chunk of actions out.

    diffspec policy --model FOLDER --socket /tmp/policy &
    python client.py /tmp/policy front.png wrist.jpg --state 0.1 0.2      # prints the actions
"""
import argparse
import base64
import json
import socket


class Policy:
    def __init__(self, path: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("r")

    def plan(self, observation: dict, **options) -> dict:
        """`observation`: for each feature a list of its values at the latest steps, oldest first. Options: `seed`; `session`, a
        name for plans that follow each other, with `executed`, the actions taken of the last one."""
        self.socket.sendall(json.dumps({"observation": observation} | options).encode() + b"\n")
        answer = json.loads(self.lines.readline())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer


def picture(path: str) -> dict:
    """A picture's bytes in the request; a path would do where the server sees the same files."""
    with open(path, "rb") as file:
        return {"base64": base64.b64encode(file.read()).decode()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("socket")
    parser.add_argument("pictures", nargs="*", help="the latest pictures of observation.image, oldest first")
    parser.add_argument("--state", type=float, nargs="+", required=True)
    parser.add_argument("--steps", type=int, default=2, help="steps that the policy observes")
    options = parser.parse_args()
    seen = {"observation.state": [options.state] * options.steps}
    if options.pictures:
        seen["observation.image"] = [picture(path) for path in options.pictures]
    print(json.dumps(Policy(options.socket).plan(seen)["actions"]))
