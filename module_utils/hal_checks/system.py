"""What a Linux host needs before any service: disks with room to write to, the time, names, its firewall."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target

MOUNTS = Path("/proc/self/mounts")
TABLE = Path("/etc/fstab")
ON_DISK = {"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs"}
FREE_PERCENT = 2
CLOCK_S = 300  # how far a clock may be off; on a busy controller the question itself takes a while
UFW_STATE = Path("/etc/ufw/ufw.conf")
UFW_DEFAULTS = Path("/etc/default/ufw")
IPTABLES_S = 5
DNS_PORT = 53
DNS_TIMEOUT_S = 2
DNS_TRIES = 2
# A question for the name servers of the root: every resolver answers it somehow, if only that it cannot.
ROOT_QUESTION = b"\x48\x41\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"

type Fault = tuple[str, str]


def system(target: Target) -> Found:
    """Check disks, clock, name servers and firewall of the host that this runs on."""
    faults = [
        *_disk_faults(target),
        *_clock_faults(target),
        *_dns_faults(target),
        *_firewall_faults(target),
    ]
    if faults:
        remedy = ". ".join(dict.fromkeys(remedy for _, remedy in faults))
        raise CheckFailed("; ".join(fault for fault, _ in faults), remedy)
    return Found(f"disks, clock{', firewall' if target.firewall else ''} and names are well")


def mounts() -> list[tuple[str, set[str]]]:
    """Return where file systems on disks are mounted, each with its options."""
    lines = [line.split() for line in MOUNTS.read_text().splitlines()]
    found = [(path.replace("\\040", " "), kind, options) for _, path, kind, options, *_ in lines]
    return [
        (path, set(options.split(",")))
        for path, kind, options in found
        if (kind in ON_DISK or path == "/") and Path(path).is_dir()  # not the layers of containers
    ]


def _writable_by_description() -> set[str]:
    """Return the places that are to be mounted for writing: the root, and those of fstab without `ro`."""
    lines = TABLE.read_text().splitlines() if TABLE.exists() else []
    rows = [line.split() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {"/", *(row[1] for row in rows if len(row) > 3 and "ro" not in row[3].split(","))}


def _disk_faults(target: Target) -> Iterator[Fault]:
    expected, seen = _writable_by_description(), set()
    for path, options in mounts():
        device = Path(path).stat().st_dev
        if device in seen:
            continue
        seen.add(device)
        if path in expected and options & {"ro", "emergency_ro"}:
            yield (
                f"{path} is mounted read-only, so that nothing can be written there",
                f"See `journalctl -k -p err` on {target.host}: a disk that fails is replaced; a file system "
                "that is damaged is repaired by `fsck` at a restart",
            )
        elif "ro" not in options:
            yield from _full_faults(target, path)


def _full_faults(target: Target, path: str) -> Iterator[Fault]:
    figures = os.statvfs(path)
    for what, free, total, tool in (
        ("space", figures.f_bavail, figures.f_blocks, "du -xh"),
        ("inodes", figures.f_favail, figures.f_files, "du -x --inodes"),
    ):
        if total and 100 * free / total < FREE_PERCENT:
            yield (
                f"{path} is full: {100 * free / total:.1f} % of its {what} is left",
                f"On {target.host}: `{tool} --max-depth=2 {path} | sort -h | tail` tells what fills it. "
                "Make room there, or the disk larger (machine.disk_gib, data_disks); then run site.yml",
            )


def _clock_faults(target: Target) -> Iterator[Fault]:
    off = time.time() - target.now
    if target.now and abs(off) > CLOCK_S:
        yield (
            f"its clock is {abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} the controller's",
            f"See `timedatectl` on {target.host} and on the controller. Until it is right, certificates and "
            "backups may be refused",
        )


def _dns_faults(target: Target) -> Iterator[Fault]:
    silent = [server for server in target.nameservers if not answers(server)]
    if silent and len(silent) == len(target.nameservers):
        yield (
            f"no name server answers ({', '.join(silent)})",
            "See whether it is up and lets questions through, or correct network_nameservers",
        )


def _firewall_faults(target: Target) -> Iterator[Fault]:
    if not target.firewall:
        return
    texts = [path.read_text() for path in (UFW_STATE, UFW_DEFAULTS) if path.exists()]
    settings = dict(re.findall(r'^(\w+)="?(\w*)"?', "".join(texts), re.MULTILINE))
    configure = "Run site.yml --tags firewall"
    if settings.get("ENABLED") != "yes":
        yield "its firewall is switched off, so that every port is open", configure
    elif settings.get("DEFAULT_INPUT_POLICY") not in ("DROP", "REJECT"):
        yield "its firewall lets in whatever no rule names", configure
    elif not _ufw_filters():  # `ufw reload` and `ufw enable` do not lead to its rules again
        fault = "the rules of its firewall are not in force, so that every port is open"
        yield fault, f"Restart {target.host}, which loads them anew"


def _ufw_filters() -> bool:
    """Return whether the kernel has ufw's rules in force; also if only root could say."""
    command = ["iptables", "--list-rules", "INPUT"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=IPTABLES_S)
    except (OSError, subprocess.TimeoutExpired):
        return True
    return done.returncode != 0 or "-j ufw-before-input" in done.stdout


def answers(server: str, port: int = DNS_PORT) -> bool:
    """Return whether a name server answers anything at all."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(DNS_TIMEOUT_S)
        for _ in range(DNS_TRIES):
            with contextlib.suppress(OSError):
                asking.connect((server, port))
                asking.send(ROOT_QUESTION)
                return asking.recv(512)[:2] == ROOT_QUESTION[:2]
    return False
