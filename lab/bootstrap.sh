#!/usr/bin/env bash
# Install what the lab and the tests need on this machine: Debian's packages, and the Python tools into .venv.
# What is there already costs nothing; a run that was interrupted is simply run again.
# Usage: bootstrap.sh [--python-only | --for-tests | --for-vm]
#   --python-only only what the controller of the real network needs; also on a Mac, whose bash is 3.2 and whose tools are BSD's
#   --for-tests   also what only tests need: the Mac's shell, ping, HAProxy, for the health page Chromium, about 300 MB, and QEMU
#   --for-vm      of these, only QEMU
set -euo pipefail
cd "$(dirname "$0")/.."
lock=requirements/controller.txt
packages=(podman mmdebstrap debian-archive-keyring rsync openssh-client unzip iptables shellcheck libgomp1)
vm_packages=(qemu-system-x86 qemu-utils genisoimage)

fail() {
  echo "bootstrap: $*" >&2
  exit 1
}

check_machine() {
  [ "$(uname -s)" = Linux ] || fail "the lab runs on Linux (Debian 12 or 13, Ubuntu 24.04); this is $(uname -s). Use a Linux machine or virtual machine."
  . /etc/os-release
  case "${ID:-}" in
    debian | ubuntu) ;;
    *) fail "this is ${PRETTY_NAME:-an unknown system}; the lab knows Debian 12 and 13 and Ubuntu 24.04." ;;
  esac
  [ "$(uname -m)" = x86_64 ] || fail "the lab's models and programs are for x86_64; this machine is $(uname -m)."
  local free_mib
  free_mib=$(($(df -Pk . | awk 'NR == 2 {print $4}') / 1024))
  [ "$free_mib" -ge 6000 ] || fail "the lab needs 6 GiB of free disk; $(pwd) has $((free_mib / 1024)) GiB. Make room and run again."
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

add_test_packages() {
  packages+=(zsh iputils-ping haproxy)
  # Chrome may be there from elsewhere. Ubuntu has Chromium as a snap alone, which cannot read what the tests write.
  command -v chromedriver >/dev/null && return 0
  if [ "$ID" = debian ]; then
    packages+=(chromium chromium-driver)
  else
    echo "Ubuntu has no package of Chromium: install Google Chrome and chromedriver, or the tests in a browser are skipped."
  fi
}

# Install those of the named packages that are missing; when that fails, say what apt said and return 1.
install_packages() {
  local missing=() log
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || fail "root or sudo is needed to install: ${missing[*]}"
  echo "Installing ${missing[*]}"
  log=$(mktemp)
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.14 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; raise SystemExit(sys.version_info < (3, 12))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
}

install_python_tools() {
  local wanted
  wanted=$(cat "$lock" pyproject.toml lab/bootstrap.sh | cksum)
  [ "$(cat .venv/.complete 2>/dev/null)" = "$wanted" ] && return 0
  local python
  python=$(find_python)
  if [ ! -x .venv/bin/python ]; then
    if [ -n "$python" ]; then
      "$python" -m venv .venv
    elif [ "$(uname -s)" != Linux ]; then
      fail "Python 3.12 or newer is needed. On a Mac: brew install python@3.13"
    else
      # Debian 12 brings Python 3.11: uv fetches a newer one.
      as_root apt-get install -y --no-install-recommends python3-venv >/dev/null
      if ! { python3 -m venv .cache/uv && .cache/uv/bin/pip --quiet install uv &&
        .cache/uv/bin/uv venv --quiet --seed --python 3.13 .venv; }; then
        fail "Python 3.12 or newer is needed; there is none here and none could be fetched. Install python3.13 and run again."
      fi
    fi
  fi
  echo "Installing the Python tools into .venv"
  .venv/bin/pip --quiet install uv || fail "uv could not be installed; is the Python package index within reach?"
  .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "$lock" ||
    fail "the Python tools could not be installed; is the package index within reach and the disk not full?"
  # The project itself, as it stands here: Ansible's plugins, the lab and the tests import it.
  .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --editable . ||
    fail "the project could not be installed into .venv; is the disk full?"
  echo "$wanted" >.venv/.complete
}

if [ "${1:-}" != --python-only ]; then
  check_machine
  [ "${1:-}" != --for-tests ] || add_test_packages
  # crun refuses a machine whose cgroups are not version 2: there, and only there, runc is used.
  [ -e /sys/fs/cgroup/cgroup.controllers ] || packages+=(runc)
  install_packages "${packages[@]}" ||
    fail "Debian's packages could not be installed; is the package mirror within reach and the disk not full?"
fi
case "${1:-}" in
  --for-tests | --for-vm)
    install_packages "${vm_packages[@]}" ||
      echo "QEMU could not be installed: the tests on a virtual machine are left out."
    ;;
esac
install_python_tools
