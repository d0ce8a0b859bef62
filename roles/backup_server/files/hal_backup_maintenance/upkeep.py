"""What keeps repositories in order: made, freed of what is old, checked, copied off-site and brought back."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import passwords
import repositories

UNFINISHED = ".new"  # where a repository is made that must not be used yet, beside the others
DAY_S = 86400
GIB = 1024**3
FULL = 0.9  # of a quota; a host's next backup may need the rest


def create(settings: dict[str, Any], host: str) -> None:
    """Make a repository, with the history that the off-site copy has of it.

    It is made beside its place and moved there when it is whole, so that no host begins without its history.
    It is made here and not by the host, whose items may begin at the same time: of two repositories begun
    in one place none can be read. What one that was never finished has left is removed: `config` comes last.
    In a store restic itself refuses to begin where there are keys.

    Raises:
        RepositoryError: it has data, or cannot be made.
    """
    if here := repositories.directory(settings, host):
        if any(file.is_file() for part in ("data", "snapshots") for file in (here / part).rglob("*")):
            raise repositories.RepositoryError(
                f"{here} has backups, but its file `config` is missing; look at its disk first"
            )
        new = settings | {"location": f"{settings['location']}/{UNFINISHED}"}
        made = Path(new["location"], host)
        for left in (here, made):
            shutil.rmtree(left, ignore_errors=True)  # as a rule there is none
        repositories.restic(new, host, "init")
        copies = repositories.offsite(settings)
        if copies and repositories.exists(copies, host):
            recover(new, copies, host)
        made.rename(here)
        with contextlib.suppress(OSError):  # it has another host's, which could not be finished
            made.parent.rmdir()
    else:
        repositories.restic(settings, host, "init")


def recover(settings: dict[str, Any], copies: dict[str, Any], host: str) -> None:
    """Copy back what the off-site copy has of a repository and the repository has not.

    Raises:
        RepositoryError: that failed.
    """
    passwords.admit(copies, host)
    # As root, who alone reads the copies and the key to them; the server's user gets what that has written,
    # also when not all came: the host backs up into the same repository.
    try:
        repositories.restic(settings | {"user": "root"}, host, "copy", source=copies)
    finally:
        here = repositories.directory(settings, host)
        for path in (here, *here.rglob("*")) if here else ():
            with contextlib.suppress(FileNotFoundError):  # the lock of a host that works meanwhile
                shutil.chown(path, settings["user"], settings["user"])
    print(f"{host}: its history was brought back from the off-site copy")


def copy_offsite(settings: dict[str, Any], copies: dict[str, Any], host: str) -> None:
    """Bring the off-site copy of a repository up to date, check it and remove what is old there.

    Raises:
        RepositoryError: something of it failed.
    """
    if repositories.exists(copies, host):
        passwords.admit(copies, host)
        repositories.unlock(copies, host)
    else:
        repositories.restic(copies, host, "init", "--copy-chunker-params", source=settings)
    repositories.restic(copies, host, "copy", source=settings)
    repositories.restic(copies, host, "check", f"--read-data-subset={settings['check_percent']}%")
    repositories.mark(host, "offsite")
    print(f"{host}: copied off-site")
    if copies["delete"]:
        forget(copies, host, "--prune")


def forget(settings: dict[str, Any], host: str, *options: str) -> None:
    """Remove the snapshots that are old.

    Raises:
        RepositoryError: that failed.
    """
    keep = [f"--keep-{name}={count}" for name, count in settings["keep"].items()]
    repositories.restic(settings, host, "forget", "--group-by", "host,tags", *keep, *options)


def maintain(settings: dict[str, Any], host: str, *, check: bool) -> None:
    """Bring one repository into order.

    Raises:
        RepositoryError: something of it failed.
    """
    check = check or time.time() - repositories.last(host, "checked") > DAY_S or is_full(settings, host)
    repositories.unlock(settings, host)
    if settings["delete"]:
        forget(settings, host, *(["--prune"] if check else []))
    if check:
        repositories.restic(settings, host, "check", f"--read-data-subset={settings['check_percent']}%")
        repositories.mark(host, "checked")
        print(f"{host}: checked")
        recount(settings, host)
        if is_full(settings, host):
            print(f"{host}: {full_quota(settings, host)}", file=sys.stderr)
    copies = repositories.offsite(settings)
    if copies and time.time() - repositories.last(host, "offsite") > DAY_S:
        copy_offsite(settings, copies, host)


def quota(settings: dict[str, Any], host: str) -> int:
    """Return how many bytes a repository may have, at which the server takes no more; 0 is any number."""
    return int(settings["quotas_gib"].get(host, 0) * GIB)


def is_full(settings: dict[str, Any], host: str) -> bool:
    """Return whether a host has all but filled its quota: its next backup may be refused."""
    limit = quota(settings, host)
    return bool(limit) and (repositories.size(settings, host) or 0) > FULL * limit


def full_quota(settings: dict[str, Any], host: str) -> str:
    """Return what is to be done about a quota that is full."""
    held, limit = (repositories.size(settings, host) or 0) / GIB, quota(settings, host) / GIB
    return (
        f"the quota of {host} is full: {held:.2f} of {limit:.2f} GiB. See on {host} what has grown; if all "
        "is well, raise network_backup_quotas_gib or network_backups_gib, and run site.yml"
    )


def recount(settings: dict[str, Any], host: str) -> None:
    """Let a host's server count again what its repository has; it knows but what passed through itself."""
    if settings["unit"]:
        command = ["systemctl", "try-restart", settings["unit"].format(host)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise repositories.RepositoryError(f"its server does not start: {done.stderr.strip()}")
