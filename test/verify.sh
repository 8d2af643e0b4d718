#!/usr/bin/env bash
# Every check there is, from a clean clone: installs what the tests need, builds, checks, measures a little, tests. The last line of the
# output is "N passed, N failed"; the exit code is 0 only when nothing failed.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  busybox-static       # the image of the pilots, made without a registry
  ca-certificates      # TLS of npm and git
  chromium             # looks at the page
  coop-computing-tools # Work Queue: a manager with work, and its workers
  debootstrap          # whole hosts with systemd
  docker-registry      # images to pull, with and without a log-in
  docker.io            # the engine; the tests run one of their own
  faketime             # wall clocks that jump
  fish                 # completes what the script for it says
  git                  # configuration repositories
  gnupg                # signed configurations
  groff-base           # shows manual pages
  influxdb             # a real InfluxDB 1.x
  influxdb-client      # to look into it
  iproute2             # a network of its own for the engine
  iptables             # dockerd needs it
  openssh-client       # signed configurations
  openssl              # certificates of test servers
  procps               # ps, as in the README
  prometheus           # a real Prometheus, and promtool
  python3-jsonschema   # a second opinion on the JSON Schema
  python3-yaml         # a second opinion on YAML
  util-linux           # setpriv, nsenter, unshare, flock
  zsh                  # completes what the script for it says
)

say() { printf 'verify: %s\n' "$*" >&2; }

give_up() {
  local code=$1
  shift
  say "$*"
  exit "$code"
}

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    # shellcheck disable=SC2016 # that is dpkg's own variable
    [ "$(dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
      printf '%s\n' "$package"
  done
}

# Keeps the packages from starting services: a host must not get a second engine by testing.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [ ! -e "$policy" ]; then
    made_policy=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  say "installing from the distribution: $*"
  apt-get -qq -o DPkg::Lock::Timeout=300 update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends "$@" >/dev/null
  if [ -n "$made_policy" ]; then
    rm -f "$made_policy"
    trap - EXIT
  fi
}

need() {
  local command=$1
  shift
  command -v "$command" >/dev/null || give_up 69 "$command is missing: $*"
}

need node 'install Node 20.19 or newer'
need npm 'it comes with Node'
[ "$(id -u)" = 0 ] ||
  give_up 77 'the tests run a Docker Engine of their own, for which they must be root: sudo npm run verify' \
    '(without root: npm run check && npm run test:fast)'
need apt-get "this needs Debian 12 or a relative of it, with these packages: ${packages[*]}"
need dpkg-query "this needs Debian 12 or a relative of it, with these packages: ${packages[*]}"

mapfile -t missing < <(missing_packages)
[ "${#missing[@]}" = 0 ] || install_packages "${missing[@]}"

npm ci --no-fund --no-audit
npm run build
npm run check

# A short share of the measurements, so that they do not rot. Their figures are printed, not judged.
bash test/bench/bench.sh --quick replace fill-24

# Not through npm, which would have the last word when a test fails.
exec node_modules/.bin/vitest run --config .config/vitest.config.ts
