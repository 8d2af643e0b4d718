#!/usr/bin/env bash
# Brings every fault there is to Plancton on a private Docker Engine and sees whether it goes on as it should. Prints tables; a full run
# also renews docs/faults and docs/reliability.md. Needs what `npm run verify` needs (it installs that), and root.
# Usage: npm run faults [-- [--quick] [NAME]...]      NAME: engine-matrix, ... as in test/faults/NAME.faults.ts; none means all
set -euo pipefail
cd "$(dirname "$0")/../.."

files=()
for argument; do
  case $argument in
    --quick)
      export PLANCTON_BENCH_QUICK=yes
      export PLANCTON_BENCH_OUT=${PLANCTON_BENCH_OUT:-${TMPDIR:-/tmp}/plancton-faults}
      ;;
    *)
      file=test/faults/$argument.faults.ts
      if [ ! -e "$file" ]; then
        known=$(cd test/faults && printf '%s ' *.faults.ts)
        echo "faults: $argument is not known; there is --quick, and ${known//.faults.ts/}" >&2
        exit 64
      fi
      files+=("$file")
      ;;
  esac
done

[ -d node_modules ] || npm ci --no-fund --no-audit
npm run --silent build
node_modules/.bin/vitest run --config test/faults/vitest.config.ts --reporter=dot "${files[@]}"
echo "faults: results are in ${PLANCTON_BENCH_OUT:-docs/faults}"
