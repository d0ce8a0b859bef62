#!/usr/bin/env python3
"""A stand-in for restic on a directory: snapshots as trees, and locks that block as restic's do.

Locks are files `PID` in locks/; those that say `exclusive` stop all that has no `--no-lock`.
The Molecule scenarios run restic itself.
"""

import hashlib
import json
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

REPOSITORY = Path(os.environ["STAND_IN_REPOSITORY"])
FLAGS = ("--retry-lock", "--host", "--tag", "--target")


def read(arguments):
    """Return the words and the options of a command line."""
    words, options = [], {}
    rest = iter(arguments)
    for one in rest:
        if one in FLAGS:
            options[one] = next(rest)
        elif one.startswith("--"):
            options[one.split("=")[0]] = True
        else:
            words.append(one)
    return words, options


def alive(lock):
    """Return whether the process that holds a lock lives."""
    return Path("/proc", lock.name).exists()


def main():
    """Run a verb."""
    (verb, *words), options = read(sys.argv[1:])
    with (REPOSITORY / "called").open("a") as called:
        called.write(" ".join([verb, *words, *options]) + "\n")
    locks, kept = REPOSITORY / "locks", REPOSITORY / "snapshots"
    if verb == "unlock":
        for lock in locks.iterdir():
            if not alive(lock):
                lock.unlink()
        return 0
    blocking = [lock for lock in locks.iterdir() if verb == "forget" or "exclusive" in lock.read_text()]
    if blocking and "--no-lock" not in options:
        said = (
            "unable to create lock in backend: repository is already locked exclusively"
            f" by PID {blocking[0].name} on nas by root (UID 0, GID 0)\n"
            "lock was created at 2026-11-23 18:00:00 (1m ago)\n"
            "the `unlock` command can be used to remove stale locks"
        )
        error = {"message_type": "exit_error", "code": 11, "message": said}
        print(json.dumps(error) if "--json" in options else said, file=sys.stderr)
        return 11
    if verb == "backup":
        moment = datetime.now(UTC).isoformat()
        name = hashlib.sha256(moment.encode()).hexdigest()
        shutil.copytree(words[0], kept / name / "tree", symlinks=True)
        about = {"id": name, "time": moment, "paths": [words[0]], "tags": [options["--tag"]]}
        (kept / name / "about.json").write_text(json.dumps(about))
        print(json.dumps({"snapshot_id": name}))
    elif verb == "snapshots":
        found = [json.loads(file.read_text()) for file in kept.glob("*/about.json")]
        print(json.dumps([one for one in found if options.get("--tag", one["tags"][0]) in one["tags"]]))
    elif verb == "restore":
        shutil.copytree(
            kept / words[0].split(":")[0] / "tree", options["--target"], symlinks=True, dirs_exist_ok=True
        )
    elif verb == "dump":
        print((kept / words[0] / "tree" / Path(words[1]).name).read_text())
    return 0


sys.exit(main())
