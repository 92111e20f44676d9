#!/usr/bin/env python3
"""Which chain, at which number of steps, is best for a number of calls?

    python compare_chains.py DIFFSPEC WORK CLASSIFIER [--count N] [--precision bf16] [--only WORD]

For each chain: N plain samples of the bundled Fashion-MNIST model, which have the law of speculative ones, and their Fréchet
distance to the test images in the classifier's features (weights/training/frechet.py); and the calls that 64 speculative samples
take. A chain without noise cannot be speculated on: there the calls are its steps. Samples that are there already are not made
again, so that it may be stopped and resumed. The table is printed, and stands in FewerSteps.md.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "weights" / "training"))
import classifier
import frechet

DATASET = "fashion-mnist"
SEED = 30
SPECULATIVE_COUNT = 64

# (chain, churn, spacing, steps)
CHAINS = [
    ("exponential", 0.0, "uniform", 7), ("exponential", 0.0, "uniform", 13), ("exponential", 0.0, "edm", 13),
    ("exponential", 0.0, "uniform", 25), ("exponential", 0.25, "uniform", 13), ("exponential", 1.0, "uniform", 13),
    ("sde", 0.25, "uniform", 13), ("exponential", 0.25, "uniform", 30), ("exponential", 0.25, "uniform", 50),
    ("exponential", 0.25, "uniform", 100), ("sde", 0.25, "uniform", 100),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("diffspec")
    parser.add_argument("work", type=Path)
    parser.add_argument("classifier")
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--only", default="", help="chains whose name contains the word")
    arguments = parser.parse_args()
    arguments.work.mkdir(parents=True, exist_ok=True)
    network = classifier.load(Path(arguments.classifier))

    def features(source: str):
        return classifier.in_batches(network.features, frechet.read(source, network.channels, DATASET, None)[:arguments.count])

    test = features("test")

    def distance(source: str) -> str:
        found = features(source)
        return f"{frechet.frechet_distance(found, test):.2f} ± {frechet.standard_error(found, test):.2f}"

    print("| chain | ε | grid | steps | calls, plain | calls, speculative | distance to the test images |\n|---|---|---|---|---|---|---|")
    for chain, churn, spacing, steps in CHAINS:
        name = f"{chain}-{churn}-{spacing}-{steps}"
        if arguments.only not in name:
            continue
        options = ["--chain", chain, "--churn", str(churn), "--spacing", spacing, "--steps", str(steps),
                   "--precision", arguments.precision]
        samples = arguments.work / f"{name}.safetensors"
        if not samples.exists():
            sample(arguments.diffspec, [*options, "--count", str(arguments.count), "--seed", str(SEED), "--draft", "none",
                                        "--batch", "64", "--tensors", str(samples)])
        calls = "–"
        if churn > 0:
            report = arguments.work / f"{name}.json"
            if not report.exists():
                sample(arguments.diffspec, [*options, "--count", str(SPECULATIVE_COUNT), "--seed", str(SEED),
                                            "--report", str(report)])
            nfe = json.loads(report.read_text())["nfe"]
            calls = f"{nfe['mean']:.1f}"
        print(f"| {chain} | {churn} | {spacing} | {steps} | {steps} | {calls} | {distance(str(samples))} |", flush=True)
    print(f"| the training images | | | | | | {distance('train')} |")


def sample(program: str, options: list[str]) -> None:
    subprocess.run([program, "sample", *options, "--out", "/dev/null", "--quiet"], check=True)


if __name__ == "__main__":
    main()
