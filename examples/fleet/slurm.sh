#!/bin/sh
# Measures one sweep as a Slurm job array: each task measures one shard on a node of its own and writes one result.
#
#   sbatch --array=1-8 slurm.sh RESULTS BENCH_OPTIONS...
#
# KVBENCH runs kvbench on each node.
#SBATCH --job-name=kvbench
#SBATCH --nodes=1
#SBATCH --exclusive
#SBATCH --gres=gpu:1
set -eu
: "${SLURM_ARRAY_TASK_ID:?is not set: expected a job array, such as sbatch --array=1-8 slurm.sh RESULTS}"
shards=$SLURM_ARRAY_TASK_COUNT
shard=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))
results=$1
shift
: "${KVBENCH:=deno run --no-prompt --allow-read --allow-write kvbench/kvbench.js}"
mkdir -p "$results"
$KVBENCH bench --shard "$shard/$shards" --json "$results/shard-$shard-of-$shards.json" "$@"
