"""Back up this host's data to the backup server, and bring it back.

Usage: hal-backup backup  [ITEM ...]          now, unless nothing has changed
       hal-backup restore [ITEM ...] [--at TIME] [--overwrite]
       hal-backup digest  [ITEM ...]          rows, files and digest of what is on this host
       hal-backup status  [ITEM ...]          when each was backed up last; exits 1 if one is late
Without ITEM: all of them. Settings are in /etc/hal/backup.json, the state in /var/lib/hal/backup.

An item is first copied as it was at one moment (an SQLite database by its online backup), together with
a manifest that has its rows and a digest; restic encrypts the copy and sends it to the backup server. A
snapshot is brought back beside its place, compared with its manifest, and only then moved there.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from items import BackupError, content
from verbs import back_up, restore, status

SETTINGS = Path(os.environ.get("HAL_BACKUP_SETTINGS", "/etc/hal/backup.json"))


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; `at` becomes seconds since 1970."""
    parser = argparse.ArgumentParser(
        prog="hal-backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=("backup", "restore", "digest", "status"))
    parser.add_argument("items", nargs="*", metavar="ITEM")
    parser.add_argument(
        "--at",
        metavar="TIME",
        help="restore what was backed up until then: ISO 8601, UTC unless it says otherwise",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="restore over what is there, which is kept aside"
    )
    options = parser.parse_args(arguments)
    try:
        moment = datetime.fromisoformat(options.at) if options.at else None
    except ValueError:
        parser.error(f"--at {options.at} is no time; write it as 2026-01-31T18:00")
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    options.at = time.time() if moment is None else moment.timestamp()
    return options


def main(arguments: list[str] | None = None) -> int:
    """Run a verb for each item; one that fails does not keep the others from it."""
    options = parse_arguments(arguments)
    settings = json.loads(SETTINGS.read_text())
    if unknown := sorted(set(options.items) - settings["items"].keys()):
        print(f"no item {', '.join(unknown)}; there are: {', '.join(settings['items'])}", file=sys.stderr)
        return 2
    os.umask(0o077)
    failed = False
    told: dict[str, Any] = {}
    for name in options.items or settings["items"]:
        item = settings["items"][name]
        try:
            if options.verb == "backup":
                print(f"{name}: {back_up(settings, name, item)}", flush=True)
            elif options.verb == "restore":
                print(
                    f"{name}: {restore(settings, name, item, options.at, overwrite=options.overwrite)}",
                    flush=True,
                )
            elif options.verb == "digest":
                told[name] = content(item, Path("/"))
            else:
                told[name] = status(name, item, since=SETTINGS.stat().st_mtime)
                failed = failed or told[name]["late"]
        except (BackupError, OSError, sqlite3.Error, subprocess.SubprocessError) as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
    if told:
        print(json.dumps(told, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
