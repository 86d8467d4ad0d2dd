#!/bin/sh
# Measures one sweep on many machines with GNU parallel. Each machine runs the same file and writes a result for
# each shard that it gets; the results come back into RESULTS.
#
#   parallel.sh HOSTS SHARDS RESULTS BENCH_OPTIONS...
#
# BENCH_OPTIONS have no spaces in them. HOSTS is a list as --sshlogin takes it: "gpu1,gpu2", or ":" for this machine. KVBENCH runs kvbench on each machine,
# and JOBS is how many shards one machine measures at once: more than 1 disturbs the times.
set -eu
hosts=$1 shards=$2 results=$3
shift 3
: "${KVBENCH:=deno run --no-prompt --allow-read --allow-write kvbench/kvbench.js}"
mkdir -p "$results"
cd "$results"
seq "$shards" | parallel --will-cite --halt soon,fail=1 --sshlogin "$hosts" --jobs "${JOBS:-1}" \
  --return "shard-{}-of-$shards.json" --cleanup \
  "$KVBENCH bench --shard {}/$shards --json shard-{}-of-$shards.json $*"
