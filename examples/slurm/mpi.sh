#!/usr/bin/env bash
# Several nodes at once, by MPI. Few samples soon (PARALLEL=window: the rows of each call are shared out), or many
# (PARALLEL=samples: every process has samples of its own, and the first one writes them all).
#SBATCH --job-name=diffspec-mpi
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=01:00:00
set -euo pipefail

diffspec=${DIFFSPEC_MPI:-diffspec-mpi}
results=${RESULTS:-results}
mkdir -p "$results"
# One process a node, with all its cores: threads share memory, processes send messages.
srun --mpi=pmix --cpu-bind=cores "$diffspec" sample \
    --model "${MODEL:-fashion-mnist}" --steps 100 --window "${WINDOW:-50}" --count "${COUNT:-1}" \
    --parallel "${PARALLEL:-window}" --threads "$SLURM_CPUS_PER_TASK" \
    --samples "$results/images" --resume --report "$results/report.json" --out "$results/first.png" --quiet
