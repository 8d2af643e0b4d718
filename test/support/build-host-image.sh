#!/usr/bin/env bash
# Prints the path of a tar with the root file system of a small Debian host: systemd as PID 1, its own Docker Engine,
# git and cron. Built once per version of this script (about two minutes, from the distribution's own mirrors) and kept
# in a private cache; a lock makes parallel test runs wait for the one that builds.
set -euo pipefail

suite=bookworm
packages=systemd,systemd-sysv,dbus,procps,git,ca-certificates,openssh-client,docker.io,iptables,iproute2,cron,busybox-static
cache=${XDG_CACHE_HOME:-$HOME/.cache}/plancton-test
version=$(sha256sum "$0" | cut -c1-12)
image=$cache/host-$version.tar

mkdir -p "$cache"
chmod 700 "$cache"
[ -O "$cache" ] || { echo "$cache belongs to somebody else: remove it or set XDG_CACHE_HOME" >&2; exit 73; }
exec 9>"$cache/lock"
flock 9
if [ -s "$image" ]; then
  echo "$image"
  exit 0
fi

command -v debootstrap >/dev/null || apt-get install -y -q --no-install-recommends debootstrap >&2 9>&-
root=$(mktemp -d "$cache/root.XXXXXX")
trap 'rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include="$packages" "$suite" "$root" >&2 9>&-

# What makes a container of it: no waiting for a network it already has, no consoles, no package caches.
for unit in systemd-networkd-wait-online systemd-resolved getty@tty1 console-getty systemd-logind apt-daily.timer apt-daily-upgrade.timer; do
  case $unit in *.timer) name=$unit ;; *) name=$unit.service ;; esac
  ln -sf /dev/null "$root/etc/systemd/system/$name"
done
mkdir -p "$root/var/log/journal"
rm -rf "$root/var/cache/apt/archives" "$root/var/lib/apt/lists" "$root/usr/share/doc" "$root/usr/share/locale"
# Every host gets an identity of its own when it boots.
rm -f "$root/etc/machine-id" "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
touch "$root/etc/machine-id"

tar -C "$root" --one-file-system -cf "$image.part" .
mv "$image.part" "$image"
find "$cache" -maxdepth 1 -name 'host-*.tar' ! -name "host-$version.tar" -delete
echo "$image"
