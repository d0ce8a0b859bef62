#!/usr/bin/env bash
# Build the image of the lab's hosts from this machine's own package mirror; no container registry is asked.
# Usage: build.sh RELEASE SOURCES KEYRING TAG
#   RELEASE  code name of Debian or Ubuntu, such as trixie
#   SOURCES  the apt sources file that registry.py wrote; an empty one stands for mmdebstrap's default
#   KEYRING  the file of the keys that sign the release
#   TAG      the image's name, which carries the digest of what it is made of
set -euo pipefail
release=$1 sources=$2 keyring=$3 tag=$4
here=$(cd "$(dirname "$0")" && pwd)
packages=$(grep -v '^#' "$here/packages.txt" | paste -sd,)
mirror=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tarball=$work/image.tar
# The keys have their usual place in the image, where this machine may have none.
if [ -s "$sources" ]; then
  # apt reads the keys as a user without rights, to whom the checkout may be closed.
  chmod 755 "$work"
  install -m 644 "$keyring" "$work/keyring.gpg"
  mirror=("$work/$(basename "$sources")" --customize-hook="upload $sources /etc/apt/sources.list.d/0000$(basename "$sources")")
  sed "s|^Signed-By: .*|Signed-By: $work/keyring.gpg|" "$sources" >"${mirror[0]}"
fi

# Like a cloud image's, its clones have no identity and no lists of apt. Documentation is left out, as nobody reads it in
# a container; so are a machine's parts that a container has not: devices that appear and consoles.
# shellcheck disable=SC2016 # the hooks' own shell expands $1, the root of the image
mmdebstrap --variant=minbase --include="$packages" \
  --aptopt='Acquire::Languages "none"' --dpkgopt=force-unsafe-io \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --customize-hook='rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname' \
  --customize-hook=': > "$1/etc/machine-id"' \
  --customize-hook="copy-in $here/90-lab.cfg /etc/cloud/cloud.cfg.d" \
  --customize-hook='mkdir "$1/etc/systemd/network/10-netplan-eth0.network.d"' \
  --customize-hook="copy-in $here/unmatched.conf /etc/systemd/network/10-netplan-eth0.network.d" \
  --customize-hook='chroot "$1" systemctl enable systemd-networkd systemd-resolved' \
  --customize-hook='chroot "$1" systemctl mask systemd-firstboot.service systemd-udevd.service \
    systemd-udev-trigger.service getty.target console-getty.service' \
  "$release" "$tarball" "${mirror[@]}"

podman import --quiet -c 'CMD ["/lib/systemd/systemd"]' -c 'STOPSIGNAL SIGRTMIN+3' -c 'ENV LANG=C.UTF-8' \
  "$tarball" "$tag"
