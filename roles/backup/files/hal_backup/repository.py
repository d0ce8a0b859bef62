"""The repository on the backup server or in a store, spoken to with restic."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from items import BackupError, Item, QuotaError, content

Settings = dict[
    str, Any
]  # {repository, password, access: {user, password}, sftp_command, ca_file, host, items}
NO_REPOSITORY = "Is there a repository at the following location?"  # of every version of restic
LOCKED = "already locked"  # of every version of restic, with who holds the lock
NO_SESSION = "unable to start the sftp session"
FULL = "507 Insufficient Storage"  # of rest-server, which restic repeats for a quarter of an hour
LOCK_WAIT = "5m"  # for another process that works on the repository
PORTS = {"https": 443, "http": 80, "sftp": 22}
CONNECT_TIMEOUT_S = 5
RESTIC_TIMEOUT_S = 3600
CACHE = Path(os.environ.get("HAL_BACKUP_STATE", "/var/lib/hal/backup"), "cache")


def restic(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run restic; what it printed is returned.

    Raises:
        BackupError: it failed.
    """
    environment = {
        **os.environ,
        "RESTIC_REPOSITORY": settings["repository"],
        "RESTIC_PASSWORD": settings["password"],
        "RESTIC_REST_USERNAME": settings["access"]["user"],
        "RESTIC_REST_PASSWORD": settings["access"]["password"],
        "AWS_ACCESS_KEY_ID": settings["access"]["user"],
        "AWS_SECRET_ACCESS_KEY": settings["access"]["password"],
        "RESTIC_CACHE_DIR": str(CACHE),
        "GOMAXPROCS": "1",  # a backup is in no hurry; the services are
        **({"RESTIC_CACERT": settings["ca_file"]} if settings.get("ca_file") else {}),
    }
    sftp = settings.get("sftp_command")
    options = ["--option", f"sftp.command={sftp}"] if sftp else []
    try:
        done = run_until_full(["restic", "--retry-lock", LOCK_WAIT, *options, *arguments], environment)
    except FileNotFoundError:
        raise BackupError("restic is not installed: apt-get install restic") from None
    except subprocess.TimeoutExpired:
        raise BackupError(f"restic {arguments[0]} did not end within {RESTIC_TIMEOUT_S} s") from None
    if FULL in done.stderr:
        host = settings["host"]
        raise QuotaError(
            f"the quota of {host} on the backup server is full. See on {host} what has grown; if all is well,"
            " raise network_backup_quotas_gib or network_backups_gib, and run site.yml"
        )
    if NO_REPOSITORY in done.stderr:
        raise BackupError(
            f"there is no repository for {settings['host']}: configuring the backup server makes it"
        )
    if done.returncode:
        lines = errors_of(done.stderr) or ["no reason given"]
        if held := [line.strip() for line in lines if LOCKED in line or "lock was created at" in line]:
            raise BackupError(
                f"restic {arguments[0]} waited {LOCK_WAIT} for another process: {'; '.join(held)}."
                " See on that host whether it still works; a lock that a dead process left goes by itself"
            )
        if sftp and NO_SESSION in lines[-1]:
            lines += refusal(sftp)
        raise BackupError(f"restic {arguments[0]} ended with code {done.returncode}: {lines[-1]}")
    return done


def run_until_full(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run restic, and end it when the server says that a quota is full, which restic itself tries again.

    Raises:
        FileNotFoundError: there is no restic.
        subprocess.TimeoutExpired: it did not end within RESTIC_TIMEOUT_S.
    """
    said: list[str] = []
    with (
        tempfile.TemporaryFile("w+") as printed,
        subprocess.Popen(
            command, env=environment, stdout=printed, stderr=subprocess.PIPE, text=True
        ) as process,
    ):

        def listen(stream: Iterable[str]) -> None:
            for line in stream:
                said.append(line)
                if FULL in line:
                    process.send_signal(signal.SIGINT)  # on which it removes its lock

        listener = threading.Thread(target=listen, args=(process.stderr,), daemon=True)
        listener.start()
        try:
            code = process.wait(RESTIC_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        finally:
            listener.join()
        printed.seek(0)
        return subprocess.CompletedProcess(command, code, printed.read(), "".join(said))


def refusal(sftp_command: str) -> list[str]:
    """Return what ssh says when there is no session; restic often ends before it has read that."""
    tried = subprocess.run(
        shlex.split(sftp_command),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return tried.stderr.strip().splitlines()


def errors_of(stderr: str) -> list[str]:
    """Return the lines of what restic says of an error, with `--json` and from 0.17 on as an object."""
    lines = []
    for line in stderr.strip().splitlines():
        try:
            lines += json.loads(line)["message"].splitlines()
        except (ValueError, KeyError, TypeError):
            lines.append(line)
    return lines


def require_server(settings: Settings) -> None:
    """Find out in seconds whether the backup server answers; restic itself would try for minutes.

    Raises:
        BackupError: it does not.
    """
    server = server_address(settings)
    if server is None:
        return
    try:
        socket.create_connection(server, CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise silent(server, error) from error


def server_url(settings: Settings) -> SplitResult:
    """Return the repository's address as a URL, without a host for a directory."""
    kind, _, rest = settings["repository"].partition(":")
    if kind == "sftp" and not rest.startswith("//"):
        host, _, path = rest.partition(":")
        return urlsplit(f"sftp://{host}/{path}")
    return urlsplit(f"sftp:{rest}" if kind == "sftp" else rest)


def server_address(settings: Settings) -> tuple[str, int] | None:
    """Return host and port of the server that has the repository; none for a directory."""
    url = server_url(settings)
    return (url.hostname, url.port or PORTS[url.scheme]) if url.hostname else None


def silent(server: tuple[str, int], error: Exception) -> BackupError:
    """Return the error that names a server without an answer."""
    return BackupError(f"the backup server {server[0]}:{server[1]} does not answer ({error}); is it up?")


def has_snapshot(settings: Settings, snapshot: str) -> bool:
    """Return whether the server still has a snapshot.

    A REST server is asked for the snapshot's file, which costs nothing: to open a repository costs restic
    a second of computing, and this is asked every few seconds.

    Raises:
        BackupError: the server does not tell.
    """
    server = server_address(settings)
    if server is None or not settings["repository"].startswith("rest:"):
        done = restic(settings, "snapshots", "--no-lock", "--json", "--host", settings["host"])
        return any(one["id"] == snapshot for one in json.loads(done.stdout) or [])
    url = server_url(settings)
    if url.scheme == "https":
        context = ssl.create_default_context(cafile=settings.get("ca_file") or None)
        connection: HTTPConnection = HTTPSConnection(*server, timeout=CONNECT_TIMEOUT_S, context=context)
    else:
        connection = HTTPConnection(*server, timeout=CONNECT_TIMEOUT_S)
    user, password = settings["access"]["user"], settings["access"]["password"]
    credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
    try:
        path = f"{url.path.rstrip('/')}/snapshots/{snapshot}"
        connection.request("HEAD", path, headers={"Authorization": f"Basic {credentials}"})
        answer = connection.getresponse()
    except (OSError, HTTPException) as error:
        raise silent(server, error) from error
    finally:
        connection.close()
    if answer.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
        raise BackupError(
            f"the backup server {server[0]}:{server[1]} does not tell whether it has the snapshot"
            f" {snapshot[:8]}: {answer.status} {answer.reason}"
        )
    return answer.status == HTTPStatus.OK


def remove_stale_locks(settings: Settings) -> None:
    """Remove the locks that dead processes of this host have left; those of living ones stay.

    What reads the repository takes no lock, so that a failure here does not keep anybody from restoring.
    """
    with contextlib.suppress(BackupError):
        restic(settings, "unlock")


def snapshots(settings: Settings, name: str) -> list[dict[str, Any]]:
    """Return the item's snapshots as {id, path, time}, time in seconds since 1970, the newest first."""
    tags = ("--host", settings["host"], "--tag", name)
    done = restic(settings, "snapshots", "--no-lock", "--json", *tags)
    found = [
        {"id": one["id"], "path": one["paths"][0], "time": datetime.fromisoformat(one["time"]).timestamp()}
        for one in json.loads(done.stdout) or []
    ]
    return sorted(found, key=lambda one: one["time"], reverse=True)


def manifest_of(settings: Settings, snapshot: dict[str, Any]) -> dict[str, Any]:
    """Return the manifest of a snapshot: item, host, taken, rows, files, digest."""
    done = restic(settings, "dump", "--no-lock", snapshot["id"], f"{snapshot['path']}/manifest.json")
    manifest: dict[str, Any] = json.loads(done.stdout)
    return manifest


def fetch_verified(
    settings: Settings, name: str, item: Item, found: list[dict[str, Any]], stage: Path
) -> dict[str, Any]:
    """Bring the first of these snapshots that agrees with its manifest into `stage`; return the manifest.

    Raises:
        BackupError: none is sound.
    """
    faults = []
    for snapshot in found:
        shutil.rmtree(stage)
        stage.mkdir(mode=0o700)
        try:
            source = f"{snapshot['id']}:{snapshot['path']}"
            restic(settings, "restore", "--no-lock", source, "--target", str(stage))
            manifest: dict[str, Any] = json.loads((stage / "manifest.json").read_text())
            if content(item, stage / "data")["digest"] == manifest["digest"]:
                return {**manifest, "snapshot": snapshot["id"]}
            faults.append(f"{snapshot['id'][:8]} differs from its manifest")
        except (BackupError, OSError, ValueError) as error:
            faults.append(f"{snapshot['id'][:8]}: {error}")
        print(f"{name}: passed over the snapshot {faults[-1]}", file=sys.stderr)
    raise BackupError(f"none of {len(faults)} snapshots is sound; the newest: {faults[0]}")
