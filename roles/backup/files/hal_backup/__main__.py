"""Back up this host's data to the backup server, and bring it back.

Usage: hal-backup backup    [ITEM ...]          now, unless nothing has changed
       hal-backup recover   [ITEM ...] [--had ITEM] [--empty]
                                                bring back what this host lacks; what is there is kept
       hal-backup restore   [ITEM ...] [--at TIME] [--overwrite | --into DIRECTORY] [--check]
       hal-backup prove     [ITEM ...]          restore into a scratch directory, and compare
       hal-backup snapshots [ITEM ...]          which backups the server has
       hal-backup digest    [ITEM ...]          rows, files and digest of what is on this host
       hal-backup status    [ITEM ...]          when each was backed up last; exits 1 if one is late
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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from items import BackupError, content
from proving import prove
from repository import Settings, require_server, snapshots
from restoring import Wish, recover, restore
from verbs import back_up, status, utc

SETTINGS = Path(os.environ.get("HAL_BACKUP_SETTINGS", "/etc/hal/backup.json"))


VERBS = ("backup", "recover", "restore", "prove", "snapshots", "digest", "status")
TOLD = ("snapshots", "digest", "status")  # answered with one JSON object


def moment(text: str) -> float:
    """Read a time in ISO 8601, UTC unless it says otherwise, as seconds since 1970."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no time; write it as 2026-01-31T18:00") from None
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def parse_arguments(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line; `at` becomes seconds since 1970."""
    parser = argparse.ArgumentParser(
        prog="hal-backup", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=VERBS)
    parser.add_argument("items", nargs="*", metavar="ITEM")
    parser.add_argument("--at", type=moment, metavar="TIME", help="restore what was backed up until then: "
                        "ISO 8601, UTC unless it says otherwise")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true",
                        help="restore over what is there, which is kept aside")  # fmt: skip
    parser.add_argument(
        "--into",
        type=lambda text: Path(text).resolve(),
        metavar="DIRECTORY",
        help="restore beside the live data",
    )
    parser.add_argument("--check", action="store_true", help="only say what would be restored")
    parser.add_argument("--had", action="append", default=[], metavar="ITEM",
                        help="this host has had it: fail if neither it nor a backup is there")  # fmt: skip
    parser.add_argument("--empty", action="store_true", help="let the host start without what it lacks")
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, settings: Settings, name: str) -> Any:  # noqa: PLR0911 - one for each verb
    """Run a verb for an item; return what was done as a sentence, or what is told of it."""
    item = settings["items"][name]
    match options.verb:
        case "backup":
            return back_up(settings, name, item)
        case "recover":
            return recover(settings, name, item, had=name in options.had, empty=options.empty)
        case "restore":
            wish = Wish(options.at, options.overwrite, options.into, options.check)
            return restore(settings, name, item, wish)
        case "prove":
            return prove(settings, name, item)
        case "snapshots":
            require_server(settings)
            return [{"id": one["id"], "at": utc(one["time"])} for one in snapshots(settings, name)]
        case "digest":
            return content(item, Path("/"))
        case _:
            return status(settings, name, item, since=SETTINGS.stat().st_mtime)


def main(arguments: list[str] | None = None) -> int:
    """Run a verb for each item; one that fails does not keep the others from it."""
    options = parse_arguments(arguments)
    try:
        settings = json.loads(SETTINGS.read_text())
    except (OSError, ValueError) as error:
        print(f"the settings {SETTINGS} cannot be read: {error}; site.yml writes them", file=sys.stderr)
        return 2
    if unknown := sorted(set(options.items) - settings["items"].keys()):
        print(f"no item {', '.join(unknown)}; there are: {', '.join(settings['items'])}", file=sys.stderr)
        return 2
    os.umask(0o077)
    failed = False
    told: dict[str, Any] = {}
    for name in options.items or settings["items"]:
        try:
            said = run(options, settings, name)
        except (BackupError, OSError, sqlite3.Error, subprocess.SubprocessError) as error:
            failed = True
            print(f"{name}: {error}", file=sys.stderr)
            continue
        if options.verb in TOLD:
            told[name] = said
            failed = failed or (options.verb == "status" and said["late"])
        else:
            print(f"{name}: {said}", flush=True)
    if told:
        print(json.dumps(told, indent=2))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
