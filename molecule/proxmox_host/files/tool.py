#!/usr/bin/env python3
"""Stands for a tool of Proxmox VE: records what it was told, and does of it what the role looks at."""

import json
import os
import sys
from pathlib import Path

NAME, ARGUMENTS = Path(sys.argv[0]).name, sys.argv[1:]
JOBS = Path("/etc/pve/jobs.json")


def pveversion():
    print("pve-manager/9.0.3/025864202ebb6109 (running kernel: 6.14.8-2-pve)")


def qm():
    conf = Path(f"/etc/pve/qemu-server/{ARGUMENTS[1]}.conf")
    if ARGUMENTS[0] == "create":
        conf.write_text(
            "".join(option.removeprefix("--").replace("=", ": ", 1) + "\n" for option in ARGUMENTS[2:])
        )
    else:
        conf.write_text(conf.read_text() + "template: 1\n")


def pvesh():
    jobs = json.loads(JOBS.read_text()) if JOBS.exists() else {}
    verb, path, *options = ARGUMENTS
    if verb == "get":
        job = jobs.get(path.rpartition("/")[2])
        if job is None:
            sys.exit("No such job 'hal'")
        keep = dict(pair.split("=") for pair in job["prune-backups"].split(","))
        print(json.dumps(job | {"prune-backups": keep}))
        return
    values = dict(option.removeprefix("--").split("=", 1) for option in options)
    jobs[values.pop("id", path.rpartition("/")[2])] = values
    JOBS.write_text(json.dumps(jobs))


def update_initramfs():
    Path(f"/boot/initrd.img-{os.uname().release}").touch()


if not (NAME == "pvesh" and ARGUMENTS[0] == "get") and NAME != "pveversion":
    with Path("/var/log/proxmox-tools").open("a") as record:
        record.write(" ".join([NAME, *ARGUMENTS]) + "\n")
globals().get(NAME.replace("-", "_"), lambda: None)()
