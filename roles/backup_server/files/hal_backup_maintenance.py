#!/usr/bin/python3
"""Remove old snapshots from every repository; once a day free the space, check the rest and copy it off-site.

Usage: hal-backup-maintenance [--ages | --check | --create | --offsite | --recover | --retire | --unlock]
       --ages     tell how old the backups are of hosts that do not tell it themselves, and nothing else
       --check    free and check now
       --create   make the repositories that are missing, with their history off-site, add the new password
                  to those that only the former one opens, and nothing else
       --offsite  copy to the off-site repositories and check these now, and nothing else
       --recover  copy back from the off-site repositories what is not here, and nothing else
       --retire   let the former passwords open nothing any more, and nothing else
       --unlock   remove the locks that dead processes have left, and nothing else
Settings are in /etc/hal/backup-server.json. The repositories are in a directory of this host, where restic
runs as the server's user so that the server can read what it writes, or in a store elsewhere.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

SETTINGS = Path("/etc/hal/backup-server.json")
STATE = Path("/var/lib/hal/backup-server")
METRICS = Path("/var/lib/prometheus/node-exporter/hal_backup_check.prom")
AGES = METRICS.with_name("hal_backup_ages.prom")
UNFINISHED = ".new"  # where a repository is made that must not be used yet, beside the others
DAY_S = 86400
GIB = 1024**3
FULL = 0.9  # of a quota; a host's next backup may need the rest
NO_REPOSITORY = "Is there a repository at the following location?"  # of every version of restic
WRONG_PASSWORD = "wrong password or no key found"  # noqa: S105 - of every version of restic
LOCKED = "already locked"  # of every version of restic, with who holds the lock
ASKS = ("cat", "snapshots")
ASK_TIMEOUT_S = 60  # for what only asks: restic asks a missing bucket for a quarter of an hour
LOCK_WAIT = "10m"  # for another process that works on the repository
WAIT_S = 600  # for another run of this program


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


def with_former(settings: dict[str, Any], host: str) -> dict[str, Any]:
    """Return the settings of a place with the former password of a host's repository as its password."""
    return settings | {"passwords": {host: settings["former"][host]}}


def opens(settings: dict[str, Any], host: str) -> bool:
    """Return whether the password opens a host's repository.

    Raises:
        RepositoryError: the repository does not tell.
    """
    try:
        restic(settings, host, "cat", "config", "--no-lock")
    except RepositoryError as error:
        if WRONG_PASSWORD not in str(error):
            raise
        return False
    return True


def admit(settings: dict[str, Any], host: str) -> None:
    """Add the present password to a repository that only the former one opens, which goes on opening it.

    Raises:
        RepositoryError: neither opens it, or it cannot be added.
    """
    if settings["former"].get(host) and not opens(settings, host):
        new = settings["passwords"][host]
        restic(with_former(settings, host), host, "key", "add", told_secretly=f"{new}\n")
        print(f"{host}: the new password was added in {settings['location']}")


def retire(settings: dict[str, Any], host: str) -> None:
    """Remove the key of the former password from a repository, which the present one must open.

    Keys that somebody else has added stay.

    Raises:
        RepositoryError: the present password does not open it, or the key cannot be removed.
    """
    if not opens(settings, host):
        raise RepositoryError(
            f"the new password does not open {settings['location']}/{host}, so the former one stays; "
            "`hal-backup-maintenance --create` adds it"
        )
    former = with_former(settings, host)
    removed: set[str] = set()
    while opens(former, host):
        (key,) = (
            one["id"] for one in json.loads(restic(former, host, "key", "list", "--json")) if one["current"]
        )
        if key in removed:
            raise RepositoryError(f"the former password still opens {settings['location']}/{host}")
        unlock(settings, host)
        restic(settings, host, "key", "remove", key)
        removed.add(key)
        print(f"{host}: the former password was removed in {settings['location']}")


def offsite(settings: dict[str, Any]) -> dict[str, Any] | None:
    """Return the place of the off-site copies; none without any, or while its disk is absent."""
    place = settings["offsite"]
    if not place or (place["location"].startswith("/") and not Path(place["location"]).is_dir()):
        return None
    return {**settings, **place}


def create(settings: dict[str, Any], host: str) -> None:
    """Make a repository, with the history that the off-site copy has of it.

    It is made beside its place and moved there when it is whole, so that no host begins without its history.
    It is made here and not by the host, whose items may begin at the same time: of two repositories begun
    in one place none can be read. What one that was never finished has left is removed: `config` comes last.
    In a store restic itself refuses to begin where there are keys.

    Raises:
        RepositoryError: it has data, or cannot be made.
    """
    if here := directory(settings, host):
        if any(file.is_file() for part in ("data", "snapshots") for file in (here / part).rglob("*")):
            raise RepositoryError(
                f"{here} has backups, but its file `config` is missing; look at its disk first"
            )
        new = settings | {"location": f"{settings['location']}/{UNFINISHED}"}
        made = Path(new["location"], host)
        for left in (here, made):
            shutil.rmtree(left, ignore_errors=True)  # as a rule there is none
        restic(new, host, "init")
        copies = offsite(settings)
        if copies and exists(copies, host):
            recover(new, copies, host)
        made.rename(here)
        with contextlib.suppress(OSError):  # it has another host's, which could not be finished
            made.parent.rmdir()
    else:
        restic(settings, host, "init")


def recover(settings: dict[str, Any], copies: dict[str, Any], host: str) -> None:
    """Copy back what the off-site copy has of a repository and the repository has not.

    Raises:
        RepositoryError: that failed.
    """
    admit(copies, host)
    # As root, who alone reads the copies and the key to them; the server's user gets what that has written,
    # also when not all came: the host backs up into the same repository.
    try:
        restic(settings | {"user": "root"}, host, "copy", source=copies)
    finally:
        here = directory(settings, host)
        for path in (here, *here.rglob("*")) if here else ():
            with contextlib.suppress(FileNotFoundError):  # the lock of a host that works meanwhile
                shutil.chown(path, settings["user"], settings["user"])
    print(f"{host}: its history was brought back from the off-site copy")


def copy_offsite(settings: dict[str, Any], copies: dict[str, Any], host: str) -> None:
    """Bring the off-site copy of a repository up to date, check it and remove what is old there.

    Raises:
        RepositoryError: something of it failed.
    """
    if exists(copies, host):
        admit(copies, host)
        unlock(copies, host)
    else:
        restic(copies, host, "init", "--copy-chunker-params", source=settings)
    restic(copies, host, "copy", source=settings)
    restic(copies, host, "check", f"--read-data-subset={settings['check_percent']}%")
    mark(host, "offsite")
    print(f"{host}: copied off-site")
    if copies["delete"]:
        forget(copies, host, "--prune")


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


def forget(settings: dict[str, Any], host: str, *options: str) -> None:
    """Remove the snapshots that are old.

    Raises:
        RepositoryError: that failed.
    """
    keep = [f"--keep-{name}={count}" for name, count in settings["keep"].items()]
    restic(settings, host, "forget", "--group-by", "host,tags", *keep, *options)


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


def maintain(settings: dict[str, Any], host: str, *, check: bool) -> None:
    """Bring one repository into order.

    Raises:
        RepositoryError: something of it failed.
    """
    check = check or time.time() - last(host, "checked") > DAY_S or is_full(settings, host)
    unlock(settings, host)
    if settings["delete"]:
        forget(settings, host, *(["--prune"] if check else []))
    if check:
        restic(settings, host, "check", f"--read-data-subset={settings['check_percent']}%")
        mark(host, "checked")
        print(f"{host}: checked")
        recount(settings, host)
        if is_full(settings, host):
            print(f"{host}: {full_quota(settings, host)}", file=sys.stderr)
    copies = offsite(settings)
    if copies and time.time() - last(host, "offsite") > DAY_S:
        copy_offsite(settings, copies, host)


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


def quota(settings: dict[str, Any], host: str) -> int:
    """Return how many bytes a repository may have, at which the server takes no more; 0 is any number."""
    return int(settings["quotas_gib"].get(host, 0) * GIB)


def is_full(settings: dict[str, Any], host: str) -> bool:
    """Return whether a host has all but filled its quota: its next backup may be refused."""
    limit = quota(settings, host)
    return bool(limit) and (size(settings, host) or 0) > FULL * limit


def full_quota(settings: dict[str, Any], host: str) -> str:
    """Return what is to be done about a quota that is full."""
    held, limit = (size(settings, host) or 0) / GIB, quota(settings, host) / GIB
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
            raise RepositoryError(f"its server does not start: {done.stderr.strip()}")


def newest(settings: dict[str, Any], host: str) -> dict[str, float]:
    """Return when the newest snapshot with each tag was made, in seconds since 1970.

    Raises:
        RepositoryError: the repository does not tell.
    """
    found: dict[str, float] = {}
    for snapshot in json.loads(restic(settings, host, "snapshots", "--json", "--no-lock")) or []:
        moment = datetime.fromisoformat(snapshot["time"]).timestamp()
        for tag in snapshot.get("tags") or []:
            found[tag] = max(moment, found.get(tag, 0.0))
    return found


def tell_ages(settings: dict[str, Any]) -> None:
    """Print how old the watched backups are, as JSON, and tell Prometheus.

    What is printed is {host: {item: {last, age_s, late, fault}}}, times in seconds. Of a repository that does
    not answer, or has no such snapshot, what was known last counts, or the time of these settings: it becomes
    late by itself.
    """
    since = SETTINGS.stat().st_mtime
    told: dict[str, dict[str, Any]] = {}
    figures: list[tuple[str, str, float | None]] = []
    for host, items in settings["watched"].items():
        fault, found = None, {}
        try:
            found = newest(settings, host)
        except (RepositoryError, ValueError) as error:
            fault = str(error)
            print(f"{host}: {error}", file=sys.stderr)
        for name, item in items.items():
            if item["tag"] in found:
                mark(host, name, found[item["tag"]])
            known, limit = last(host, name), 3 * item["every"] + 60
            age = time.time() - (known or since)
            found_now = {"last": known or None, "age_s": round(age), "late": age > limit, "fault": fault}
            told.setdefault(host, {})[name] = found_now
            figures += [
                ("snapshot_timestamp_seconds", f'host="{host}",item="{name}"', known or since),
                ("snapshot_age_limit_seconds", f'host="{host}",item="{name}"', limit),
            ]
    print(json.dumps(told))
    write_figures(AGES, figures)


def write_metrics(settings: dict[str, Any]) -> None:
    """Tell Prometheus when each repository was found sound and copied off-site, and how large it is."""
    since = SETTINGS.stat().st_mtime
    figures: list[tuple[str, str, float | None]] = []
    for host in settings["passwords"]:
        labels = f'host="{host}"'
        figures += [
            ("check_last_success_timestamp_seconds", labels, last(host, "checked") or None),
            ("size_bytes", labels, size(settings, host)),
            ("size_limit_bytes", labels, quota(settings, host) or None),
        ]
        if settings["offsite"]:  # one that was never made is as old as these settings
            figures += [
                ("offsite_last_success_timestamp_seconds", labels, last(host, "offsite") or since),
                ("offsite_age_limit_seconds", labels, settings["offsite"]["days"] * DAY_S),
            ]
    write_figures(METRICS, figures)


def write_figures(file: Path, figures: list[tuple[str, str, float | None]]) -> None:
    """Write metrics for Prometheus, given as names, labels and values; those without a value are left out."""
    new = file.with_suffix(f".{os.getpid()}")  # another run may write them, too
    new.write_text(
        "".join(
            f"hal_backup_{name}{{{labels}}} {value:.0f}\n"
            for name, labels, value in sorted(figures, key=lambda figure: figure[0])
            if value is not None
        )
    )
    new.chmod(0o644)
    new.replace(file)


def retire_everywhere(settings: dict[str, Any], copies: dict[str, Any] | None, host: str) -> None:
    """Remove the key of the former password from a host's repository and from its off-site copy.

    Raises:
        RepositoryError: the disk of the copies is absent, or one of them keeps it.
    """
    if not settings["former"].get(host):
        return
    if settings["offsite"] and copies is None:
        raise RepositoryError(
            f"the disk of the off-site copies is not at {settings['offsite']['location']}, and the copy "
            "there still takes the former password. Attach it, and run this again"
        )
    for place in (settings, copies):
        if place and exists(place, host):
            admit(place, host)
            retire(place, host)


def work_on(
    settings: dict[str, Any], copies: dict[str, Any] | None, host: str, options: argparse.Namespace
) -> None:
    """Create, copy, recover or maintain one repository, as the command line says.

    Raises:
        RepositoryError: that failed.
    """
    if settings["former"].get(host) and exists(settings, host):
        admit(settings, host)
    if options.retire:
        retire_everywhere(settings, copies, host)
    elif options.create:
        if not exists(settings, host):  # nobody has made it meanwhile
            create(settings, host)
            recount(settings, host)
            print(f"{host}: created")
    elif copies and options.offsite:
        copy_offsite(settings, copies, host)
    elif copies and options.recover:
        recover(settings, copies, host)
        recount(settings, host)
    else:
        maintain(settings, host, check=options.check)


def main() -> int:
    """Create, unlock or maintain the repositories; one that fails does not keep the others from it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    only = parser.add_mutually_exclusive_group()
    for name in ("ages", "check", "create", "offsite", "recover", "retire", "unlock"):
        only.add_argument(f"--{name}", action="store_true")
    options = parser.parse_args()
    settings = json.loads(SETTINGS.read_text())
    if options.ages:
        tell_ages(settings)
        return 0
    copies = offsite(settings)
    if copies is None and (options.offsite or options.recover):
        print(f"there is no off-site copy at {settings['offsite'].get('location', 'all')}", file=sys.stderr)
        return 1
    hourly = not any(vars(options).values())
    failed = False
    for host in settings["passwords"]:
        try:
            admits = options.create and bool(settings["former"].get(host))
            if options.create == exists(settings, host) and not admits:
                continue
            if options.unlock:
                unlock(settings, host)
                continue
            with alone(host, 0 if hourly else WAIT_S):
                work_on(settings, copies, host, options)
        except (RepositoryError, OSError) as error:
            # The next hour comes; how old checks and copies are is told in any case.
            failed = failed or not (hourly and isinstance(error, BusyError))
            print(f"{host}: {error}", file=sys.stderr)
    if not options.unlock:  # nothing has changed, and at boot the directory of the metrics may be missing
        write_metrics(settings)
    return 1 if failed else 0


if __name__ == "__main__":
    os.environ["PATH"] = (
        f"/usr/bin:{os.environ['PATH']}"  # the package's restic, before one that somebody has fetched
    )
    for ended in (signal.SIGHUP, signal.SIGTERM):  # what is begun is left in order
        if signal.getsignal(ended) == signal.SIG_DFL:  # not below nohup
            signal.signal(ended, lambda number, _frame: sys.exit(128 + number))
    sys.exit(main())
