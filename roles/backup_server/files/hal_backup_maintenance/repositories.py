"""Each host's repository, here or in a store elsewhere, and restic as it is called for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/hal/backup-server.json")
STATE = Path("/var/lib/hal/backup-server")
NO_REPOSITORY = "Is there a repository at the following location?"  # of every version of restic
WRONG_PASSWORD = "wrong password or no key found"  # noqa: S105 - of every version of restic
LOCKED = "already locked"  # of every version of restic, with who holds the lock
ASKS = ("cat", "snapshots")
ASK_TIMEOUT_S = 60  # for what only asks: restic asks a missing bucket for a quarter of an hour
LOCK_WAIT = "10m"  # for another process that works on the repository


class RepositoryError(Exception):
    """A repository is not in order; the text says why."""


class BusyError(RepositoryError):
    """Another run of this program works on a repository."""


@contextlib.contextmanager
def alone(host: str, wait_s: float) -> Iterator[None]:
    """Keep other runs of this program from a host's repository; whatever ends this one lets them go on.

    Args:
        host: whose repository it is.
        wait_s: how many seconds to wait for another run.

    Raises:
        BusyError: another run still works on it.
    """
    STATE.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + wait_s
    with (STATE / f"{host}.lock").open("w") as held:
        while True:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise BusyError(
                        "another run of hal-backup-maintenance works on its repository; "
                        "run it again when that has ended"
                    ) from None
                time.sleep(1)
        yield


def environment(settings: dict[str, Any], host: str) -> dict[str, str]:
    """Return what restic is told of a host's repository.

    Who logs in is told of a store alone: in a directory restic runs as the server's account.
    """
    user, password = (settings["access"][name] for name in ("user", "password"))
    access = {
        "RESTIC_REST_USERNAME": user,
        "RESTIC_REST_PASSWORD": password,
        "AWS_ACCESS_KEY_ID": user,
        "AWS_SECRET_ACCESS_KEY": password,
    }
    return {
        **os.environ,
        "RESTIC_REPOSITORY": f"{settings['location']}/{host}",
        "RESTIC_PASSWORD": settings["passwords"][host],
        **({} if directory(settings, host) else access),
        "RESTIC_CACHE_DIR": str(STATE / "cache"),
        "GOMAXPROCS": "1",
        **({"RESTIC_CACERT": settings["ca_file"]} if settings["ca_file"] else {}),
    }


def restic(
    settings: dict[str, Any],
    host: str,
    *arguments: str,
    source: dict[str, Any] | None = None,
    told_secretly: str | None = None,
) -> str:
    """Run restic on a host's repository; return what it printed.

    Args:
        settings: of the place where the repository is, those of the server or `offsite`.
        host: whose it is.
        arguments: the verb and what it takes.
        source: the place of the repository that is copied from; it gets no lock.
        told_secretly: what it reads from its standard input.

    Raises:
        RepositoryError: it failed.
    """
    sftp, told = settings["sftp_command"], environment(settings, host)
    if source:
        other = environment(source, host)
        told = other | told  # with the access to either
        told |= {f"RESTIC_FROM_{name}": other[f"RESTIC_{name}"] for name in ("REPOSITORY", "PASSWORD")}
        arguments += ("--no-lock",)
    command = [
        "restic",
        *(["--no-cache"] if directory(settings, host) and not source else []),
        *(["--option", f"sftp.command={sftp}"] if sftp else []),
        *("--retry-lock", LOCK_WAIT, *arguments),
    ]
    try:
        done = subprocess.run(
            command,
            env=told,
            input=told_secretly,
            user=settings["user"],
            group=settings["user"],
            capture_output=True,
            text=True,
            check=False,
            timeout=ASK_TIMEOUT_S if arguments[0] in ASKS else None,
        )
    except subprocess.TimeoutExpired:
        raise RepositoryError(
            f"{told['RESTIC_REPOSITORY']} does not answer within {ASK_TIMEOUT_S} s"
        ) from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.strip()
    if held := [
        line.strip() for line in said.splitlines() if LOCKED in line or "lock was created at" in line
    ]:
        raise RepositoryError(
            f"restic {arguments[0]} waited {LOCK_WAIT} for another process: {'; '.join(held)}."
            " See on that host whether it still works; a lock that a dead process left goes by itself"
        )
    raise RepositoryError(f"restic {arguments[0]} ended with code {done.returncode}: {said[-400:]}")


def directory(settings: dict[str, Any], host: str) -> Path | None:
    """Return the directory of a repository; none when it is in a store elsewhere."""
    location = settings["location"]
    return Path(location, host) if location.startswith("/") else None


def exists(settings: dict[str, Any], host: str) -> bool:
    """Return whether a host has a repository.

    Raises:
        RepositoryError: the store does not tell.
    """
    if here := directory(settings, host):
        return (here / "config").exists()
    try:
        restic(settings, host, "cat", "config", "--no-lock")
    except RepositoryError as error:
        if WRONG_PASSWORD in str(error) and settings["former"].get(host):
            return True  # there is one, to which the present password is still to be added
        if NO_REPOSITORY not in str(error):
            raise
        return False
    return True


def offsite(settings: dict[str, Any]) -> dict[str, Any] | None:
    """Return the place of the off-site copies; none without any, or while its disk is absent."""
    place = settings["offsite"]
    if not place or (place["location"].startswith("/") and not Path(place["location"]).is_dir()):
        return None
    return {**settings, **place}


def unlock(settings: dict[str, Any], host: str) -> None:
    """Remove the locks of a repository that dead processes have left.

    restic takes a lock for left when its process is of this machine and gone, or when it is half an hour old.

    Raises:
        RepositoryError: that failed.
    """
    here = directory(settings, host)
    locks = here and here / "locks"
    if locks is None or (locks.is_dir() and any(locks.iterdir())):
        restic(settings, host, "unlock")


def last(host: str, done: str) -> float:
    """Return when a repository was `checked`, copied `offsite` or got an item: seconds since 1970, or 0."""
    record = STATE / f"{host}.{done}"
    return record.stat().st_mtime if record.exists() else 0.0


def mark(host: str, done: str, moment: float | None = None) -> None:
    """Record that a repository is `checked`, copied `offsite` or has an item, now or at some moment."""
    STATE.mkdir(parents=True, exist_ok=True)
    record = STATE / f"{host}.{done}"
    record.touch()
    if moment is not None:
        os.utime(record, (moment, moment))


def size(settings: dict[str, Any], host: str) -> int | None:
    """Return the bytes of a repository on this host; none of one elsewhere, or of none."""
    here = directory(settings, host)
    if here is None or not here.is_dir():
        return None
    total = 0
    for file in here.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # hosts lock and unlock meanwhile
            total += file.lstat().st_size
    return total
