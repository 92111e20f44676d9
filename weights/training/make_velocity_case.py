#!/usr/bin/env python3
"""A small VelocityMLP of odd widths with random weights and its golden case, for diffspec's tests.

    python make_velocity_case.py OUT
"""

import argparse
from pathlib import Path

import torch

import train_velocity_mlp
from velocity_mlp import VelocityMLP, VelocityMLPConfig

CONFIG = VelocityMLPConfig(dimension=3, num_class_embeds=5, embedding_dim=22, preprocessing=(7, 19),
                           postprocessing=(33, 5))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a golden case of a small VelocityMLP.")
    parser.add_argument("out", type=Path, help="folder to write")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    network = VelocityMLP(CONFIG)
    components = [{"weight": 1, "mean": [0.0] * 3, "standard_deviation": 0.1}] * 5
    train_velocity_mlp.save(arguments.out, CONFIG, network.state_dict(), {"components": components}, torch.float32)


if __name__ == "__main__":
    main()
