#!/usr/bin/env bash
# Build the Debian image of the lab's hosts from this machine's own package mirror; no container registry is asked.
# Usage: build.sh SOURCES TAG
#   SOURCES  the apt sources file that registry.py wrote; an empty one stands for mmdebstrap's default
#   TAG      the image's name, which carries the digest of what it is made of
set -euo pipefail
sources=$1 tag=$2
here=$(cd "$(dirname "$0")" && pwd)
packages=$(grep -v '^#' "$here/packages.txt" | paste -sd,)
mirror=()
[ ! -s "$sources" ] || mirror=("$sources")
tarball=$(mktemp --suffix=.tar)
trap 'rm -f "$tarball"' EXIT

# Keep apt's lists (a check run on a fresh host needs them); leave out what nobody reads in a container.
# shellcheck disable=SC2016 # the hooks' own shell expands $1, the root of the image
mmdebstrap --variant=minbase --include="$packages" \
  --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io --skip=cleanup/apt/lists \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf' \
  --customize-hook=': > "$1/etc/machine-id"' \
  --customize-hook='chroot "$1" systemctl mask \
    systemd-firstboot.service systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service \
    systemd-resolved.service getty.target console-getty.service apt-daily.timer apt-daily-upgrade.timer' \
  trixie "$tarball" "${mirror[@]}"

podman import --quiet -c 'CMD ["/lib/systemd/systemd"]' -c 'STOPSIGNAL SIGRTMIN+3' -c 'ENV LANG=C.UTF-8' \
  "$tarball" "$tag"
