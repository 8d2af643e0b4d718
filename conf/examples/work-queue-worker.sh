#!/bin/sh
# work_queue_worker with --single-task (end after one job), which Debian's does not know. In the debug log `kill` is how
# the manager says that it has fetched the results of a job and that they may go.
real=/usr/bin/work_queue_worker

single_task=no
for argument; do
  shift
  if [ "$argument" = --single-task ]; then single_task=yes; else set -- "$@" "$argument"; fi
done
[ "$single_task" = yes ] || exec "$real" "$@"

pipe=$(mktemp -u "${TMPDIR:-/tmp}/work-queue-XXXXXX")
mkfifo -m 600 "$pipe" || exit 1
"$real" --debug wq "$@" >"$pipe" 2>&1 &
worker=$!
trap 'kill "$worker"' TERM INT
while read -r line; do
  printf '%s\n' "$line"
  case $line in *'rx from manager: kill '*) kill "$worker" ;; esac
done <"$pipe"
rm "$pipe"
wait "$worker"
