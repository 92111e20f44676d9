#!/usr/bin/env python3
"""Fits what speculative plans start from: the linear regression of the demonstrations' actions on the observations,
both scaled as the policy sees them. Writes FOLDER/prior.safetensors.

    python fit_policy_prior.py pusht_lowdim.npz ../pusht
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

import pusht_data


def main() -> None:
    parser = argparse.ArgumentParser(description="Fit the linear prior of a policy.")
    parser.add_argument("data", type=Path, help="the demonstrations, npz")
    parser.add_argument("folder", type=Path, help="the policy's folder")
    arguments = parser.parse_args()
    data = pusht_data.load(arguments.data)
    actions = data.actions.flatten(1).double()
    inputs = torch.cat((data.conditions.double(), torch.ones(len(data), 1)), dim=1)
    solution = torch.linalg.lstsq(inputs, actions).solution
    residual = (actions - inputs @ solution).square().mean().sqrt()
    save_file({"weight": solution[:-1].T.float().contiguous(), "bias": solution[-1].float().contiguous()},
              arguments.folder / "prior.safetensors")
    print(f"{len(data)} examples: deviation {actions.std():.3f}, of the residuals {residual:.3f}")


if __name__ == "__main__":
    main()
