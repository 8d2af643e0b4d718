#!/usr/bin/env bash
# Shows Plancton at work, starting from a fresh clone: installs what the project needs, builds it, finds (or starts) a
# Docker Engine, and shows pilots coming and going until Ctrl-C. All files of the demo are in one private folder; when it
# ends there is no pilot, no process and no configuration of it left.
#
#   PLANCTON_DEMO_INSTALL=no   do not install a Docker Engine where there is none, give up instead
#   DOCKER_HOST=unix:///path   use this engine
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

dir=
engine_pid=
demo_pid=

say() { printf 'demo: %s\n' "$*" >&2; }

give_up() {
  say "$1"
  exit "${2:-69}"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# --- What the project itself needs -----------------------------------------------------------------------------------

install_and_build() {
  # An installed package is built already and has no sources.
  [ -d src ] || return 0
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say 'installing the dependencies (npm ci)'
    npm ci --no-progress --loglevel=error >&2
  fi
  if [ ! -e dist/cli/plancton-bootstrap.js ] || [ -n "$(find src tsconfig.json -newer dist/cli/plancton-bootstrap.js -print -quit)" ]; then
    say 'building (npm run build)'
    npm run --silent build >&2
  fi
}

# --- A Docker Engine ---------------------------------------------------------------------------------------------------

# Whether an engine answers at this address, within three seconds.
answers() {
  node -e '
    const [where, path] = process.argv[1].split("://");
    const at = where === "unix" ? { socketPath: path } : new URL("http://" + path);
    const to = where === "unix" ? at : { hostname: at.hostname, port: at.port };
    const request = require("node:http").get({ ...to, path: "/_ping", timeout: 3000 }, (reply) => {
      process.exit(reply.statusCode === 200 ? 0 : 1);
    });
    request.on("timeout", () => process.exit(1));
    request.on("error", (error) => process.exit(error.code === "EACCES" ? 77 : 1));
  ' "$1"
}

find_engine() {
  local usual=unix:///var/run/docker.sock status=0
  if [ -n "${DOCKER_HOST:-}" ]; then
    answers "$DOCKER_HOST" || give_up "DOCKER_HOST is $DOCKER_HOST, but no engine answers there; start it, or unset DOCKER_HOST"
    return
  fi
  answers "$usual" || status=$?
  if [ "$status" -eq 0 ]; then
    export DOCKER_HOST=$usual
    return
  fi
  [ "$status" -ne 77 ] || give_up 'you may not use the Docker Engine of this host; run: sudo npm run demo' 77
  command -v dockerd >/dev/null || PATH=$PATH:/usr/sbin:/sbin command -v dockerd >/dev/null || install_engine
  if answers "$usual"; then
    export DOCKER_HOST=$usual
  else
    start_private_engine
  fi
}

install_engine() {
  local command
  if command -v apt-get >/dev/null; then
    command='apt-get install --yes --no-install-recommends docker.io'
  elif command -v dnf >/dev/null; then
    command='dnf install --assumeyes moby-engine'
  else
    give_up 'there is no Docker Engine here and this script knows only apt and dnf; install Docker Engine 20.10 or newer'
  fi
  say "there is no Docker Engine on this host; installing the one of the distribution with \`$command\`, which stays here (PLANCTON_DEMO_INSTALL=no declines)"
  [ "${PLANCTON_DEMO_INSTALL:-}" != no ] || give_up 'declined; install Docker Engine 20.10 or newer and run the demo again'
  if [ -z "${PLANCTON_DEMO_INSTALL:-}" ] && [ -t 0 ]; then
    local answer
    read -r -p 'demo: go ahead? [Y/n] ' answer
    case $answer in '' | [Yy]*) ;; *) give_up 'declined; install Docker Engine 20.10 or newer and run the demo again' ;; esac
  fi
  # Fixed words of ours: splitting is meant.
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive $command >&2 ||
    { [ "${command%% *}" = apt-get ] && as_root apt-get update >&2 && as_root env DEBIAN_FRONTEND=noninteractive $command >&2; } ||
    give_up "\`$command\` failed, see above"
}

# An engine of the demo's own: private folders, and a network of its own so that it cannot meet another engine's bridge or
# packet filters. Its pilots need no network. It ends with this script, however that ends, but not with a Ctrl-C, which
# a terminal sends to all of its session: the pilots have to be removed first.
start_private_engine() {
  [ "$(id -u)" -eq 0 ] || give_up 'no Docker Engine runs, and starting one takes root; run: sudo npm run demo' 77
  say 'no Docker Engine runs on this host; starting one for the demo, which goes when the demo ends'
  local engine=$dir/engine
  mkdir "$engine"
  echo '{}' >"$engine/daemon.json"
  export PATH=$PATH:/usr/sbin:/sbin
  setsid setpriv --pdeathsig TERM unshare --net -- dockerd \
    --config-file "$engine/daemon.json" --host "unix://$engine/docker.sock" --pidfile "$engine/pid" \
    --data-root "$engine/data" --exec-root "$engine/exec" --containerd-namespace "plancton-demo-$$" \
    --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
    >"$dir/engine.log" 2>&1 </dev/null &
  engine_pid=$!
  export DOCKER_HOST=unix://$engine/docker.sock
  for _ in $(seq 60); do
    answers "$DOCKER_HOST" && return
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  tail -n 5 "$dir/engine.log" >&2
  give_up 'the Docker Engine of the demo does not come up, see above; start one yourself and run the demo again'
}

# --- The end -------------------------------------------------------------------------------------------------------------

stop_private_engine() {
  [ -n "$engine_pid" ] || return 0
  kill -TERM "$engine_pid" 2>/dev/null || true
  for _ in $(seq 40); do
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  kill -KILL "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  # What it may have left mounted, deepest first.
  awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mounted; do
    umount -l "$mounted" || true
  done
}

clean_up() {
  trap '' INT TERM HUP
  # Only where the demo was killed before it could do this itself.
  if [ -d "$dir/plancton/run" ]; then
    node bin/planctonctl.js --confdir "$dir/plancton/conf" --rundir "$dir/plancton/run" --logdir "$dir/plancton/log" force-stop >&2 || true
  fi
  stop_private_engine
  [ -z "$dir" ] || rm -rf --one-file-system "$dir"
}

pass_on() {
  [ -z "$demo_pid" ] || kill -TERM "$demo_pid" 2>/dev/null || true
  [ -n "$demo_pid" ] || exit 130
}

install_and_build
dir=$(mktemp -d "${TMPDIR:-/tmp}/plancton-demo.XXXXXX")
trap clean_up EXIT
trap pass_on INT TERM HUP
find_engine
say "using the engine at $DOCKER_HOST"

# In the background, because bash sees to signals only between commands and while it waits.
node bin/plancton-bootstrap.js --dryrun --private "$dir/plancton" &
demo_pid=$!
status=0
while kill -0 "$demo_pid" 2>/dev/null; do
  wait "$demo_pid" || true
done
wait "$demo_pid" || status=$?
[ "$status" -eq 0 ] || give_up "ended with exit code $status" "$status"
say 'everything of the demo is gone'
