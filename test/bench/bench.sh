#!/usr/bin/env bash
# Measures Plancton on this machine and prints tables. Needs what `npm run verify` needs (it installs that), and root.
# Usage: npm run bench [-- [--quick] [fill-host|idle-daemon|engine-calls|job-times]...]
set -euo pipefail
cd "$(dirname "$0")/../.."

names=()
for argument; do
  case $argument in
    --quick) export PLANCTON_BENCH_QUICK=yes ;;
    -*)
      echo "bench: $argument is not known; there is --quick, and names of measurements" >&2
      exit 64
      ;;
    *) names+=("$argument") ;;
  esac
done

[ -d node_modules ] || npm ci --no-fund --no-audit
npm run --silent build
printf 'bench: %s, %s CPUs, Node %s, %s\n' "$(date +%F)" "$(nproc)" "$(node --version)" "$(dockerd --version)"
exec node_modules/.bin/vitest run --config test/bench/vitest.config.ts --reporter=dot "${names[@]}"
