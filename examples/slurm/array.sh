#!/usr/bin/env bash
# Fifty thousand samples as a job array: independent shards, each of which is resumed when it is started again.
#
#     sbatch examples/slurm/array.sh && sbatch --dependency=singleton --job-name=diffspec examples/slurm/merge.sh
#
#SBATCH --job-name=diffspec
#SBATCH --array=1-32
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --requeue
# A minute before the time is up, so that the manifest is as new as can be; a kill without warning loses some seconds more.
#SBATCH --signal=B:TERM@60
set -euo pipefail

diffspec=${DIFFSPEC:-diffspec}
results=${RESULTS:-results}
shards=${SHARDS:-32}  # as --array says; fixed, so that some tasks alone can be submitted again
mkdir -p "$results/tensors"

# In the background, with a wait: a shell handles signals only between commands.
"$diffspec" sample \
    --model "${MODEL:-fashion-mnist}" --steps 100 --window 20 --count "${COUNT:-50000}" \
    --shard "$SLURM_ARRAY_TASK_ID/$shards" --resume \
    --samples "$results/images" --tensors "$results/tensors/$SLURM_ARRAY_TASK_ID.safetensors" \
    --threads "$SLURM_CPUS_PER_TASK" --quiet &
job=$!
trap 'kill -TERM "$job"' TERM
status=0
wait "$job" || status=$?
# A trapped signal ends the first wait, not the program.
if kill -0 "$job" 2>/dev/null; then wait "$job" || status=$?; fi

# 143: stopped by the signal above. The same task again resumes from there.
if [ "$status" -eq 143 ]; then scontrol requeue "$SLURM_JOB_ID"; fi
exit "$status"
