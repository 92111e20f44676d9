#!/usr/bin/env python3
"""Compares diffusers' output for a model folder with the folder's golden case.

    python check_model.py FOLDER...           # prints the largest difference in standard deviations; 1 if over 1e-4
    python check_model.py --write FOLDER...   # first puts diffusers' output into the golden case

Needs `requirements-dev.txt`.
"""

import argparse
import sys
from pathlib import Path

import torch
from diffusers import UNet2DModel
from diffusers.utils import logging
from safetensors.torch import load_file, save_file

TOLERANCE = 1e-4


@torch.no_grad()
def diffusers_output(folder: Path, case: dict[str, torch.Tensor]) -> torch.Tensor:
    """What diffusers computes in F32 from the folder's weights for the case's rows."""
    model = UNet2DModel.from_pretrained(folder).float().eval()
    return model(case["sample"], case["timestep"], class_labels=case.get("class_labels")).sample


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare model folders' golden cases with diffusers.")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--write", action="store_true", help="put diffusers' output into the golden case")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    worst = 0.0
    for folder in arguments.folders:
        path = folder / "case.safetensors"
        case = load_file(path)
        output = diffusers_output(folder, case)
        difference = ((output - case["output"]).abs().max() / output.std()).item()
        print(f"{folder}: {difference:.1e} of a standard deviation")
        if arguments.write:
            save_file(case | {"output": output.contiguous()}, path)
        else:
            worst = max(worst, difference)
    return int(not worst <= TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
