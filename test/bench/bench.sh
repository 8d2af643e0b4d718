#!/usr/bin/env bash
# Measures Plancton on this machine beside what one would use instead. Prints tables; a full run also renews docs/bench and the
# tables made from it. Needs what `npm run verify` needs (it installs that), and root.
# Usage: npm run bench [-- [--quick] [NAME]...]      NAME: replace, slot-use, ... as in test/bench/NAME.bench.ts; none means all
set -euo pipefail
cd "$(dirname "$0")/../.."

files=()
for argument; do
  case $argument in
    --quick)
      export PLANCTON_BENCH_QUICK=yes
      export PLANCTON_BENCH_OUT=${PLANCTON_BENCH_OUT:-${TMPDIR:-/tmp}/plancton-bench}
      ;;
    *)
      file=test/bench/$argument.bench.ts
      if [ ! -e "$file" ]; then
        known=$(cd test/bench && printf '%s ' *.bench.ts)
        echo "bench: $argument is not known; there is --quick, and ${known//.bench.ts/}" >&2
        exit 64
      fi
      files+=("$file")
      ;;
  esac
done

[ -d node_modules ] || npm ci --no-fund --no-audit
npm run --silent build
node_modules/.bin/vitest run --config test/bench/vitest.config.ts --reporter=dot "${files[@]}"
echo "bench: results are in ${PLANCTON_BENCH_OUT:-docs/bench}"
