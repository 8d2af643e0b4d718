#!/bin/sh
# Makes a pilot image of a few MB from this host's work_queue_worker, the libraries it needs, and busybox. No registry.
# Needs the packages coop-computing-tools and busybox-static, and tar. Usage: work-queue-image.sh NAME:TAG
set -eu
image=${1:?usage: work-queue-image.sh NAME:TAG}
here=$(cd "$(dirname "$0")" && pwd)
worker=/usr/bin/work_queue_worker

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/etc" "$root/usr/local/bin"
mkdir -m 1777 "$root/tmp"
chmod 755 "$root"

cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $(busybox --list | grep -vx busybox); do ln -s busybox "$root/bin/$applet"; done
for file in "$worker" $(ldd "$worker" | grep -o '/[^ ]*'); do
  mkdir -p "$root$(dirname "$file")"
  cp -L "$file" "$root$file"
done
install -m 755 "$here/work-queue-worker.sh" "$root/usr/local/bin/work_queue_worker"
echo 'root:x:0:0:root:/tmp:/bin/sh' >"$root/etc/passwd"

# Jobs see the name of the image that ran them.
tar -c --owner=0 --group=0 --numeric-owner -C "$root" . |
  docker import --change "ENV PILOT_IMAGE=$image" --change "ENV PATH=/usr/local/bin:/usr/bin:/bin" - "$image"
