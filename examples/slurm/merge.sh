#!/usr/bin/env bash
# Checks the shards that array.sh made, and joins them. What it leaves is what one process would have left.
#SBATCH --job-name=diffspec
#SBATCH --ntasks=1
#SBATCH --time=00:30:00
set -euo pipefail

diffspec=${DIFFSPEC:-diffspec}
results=${RESULTS:-results}
"$diffspec" merge "$results/images" \
    --samples "$results/images" --tensors "$results/all.safetensors" --report "$results/report.json" --out "$results/first.png"
