"""The repository may be in a directory, on a REST server or in a store; each is asked in its own way."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

ACCESS = {"user": "key", "password": "secret key"}


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("/srv/backups/qm1", None),
        ("rest:https://nas:8000/qm1/", ("nas", 8000)),
        ("rest:https://nas/hal/qm1", ("nas", 443)),
        ("s3:https://nas:9000/hal/qm1", ("nas", 9000)),
        ("sftp:hal@nas:/volume/hal/qm1", ("nas", 22)),
        ("sftp:hal@nas:volume/hal/qm1", ("nas", 22)),
        ("sftp://hal@192.0.2.7:2222//volume/qm1", ("192.0.2.7", 2222)),
    ],
)
def test_the_server_of_a_repository_is_known_so_that_its_silence_is_noticed_at_once(
    program, repository, address
):
    assert program["repository"].server_address({"repository": repository}) == address


def test_restic_is_told_the_credentials_of_a_store(program, repository, local, tmp_path):
    shown, restic = tmp_path / "shown", Path(shutil.which("restic"))
    restic.unlink()
    restic.write_text(f'#!/bin/sh\nenv > {shown}; echo "arguments=$*" >> {shown}\n')
    restic.chmod(0o755)
    settings = local | {
        "repository": "s3:https://nas/hal/qm1",
        "access": ACCESS,
        "sftp_command": "ssh nas -s sftp",
    }
    program["repository"].restic(settings, "snapshots")
    told = dict(line.split("=", 1) for line in shown.read_text().splitlines() if "=" in line)
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]) == ("key", "secret key")
    assert "--option sftp.command=ssh nas -s sftp snapshots" in told["arguments"]


def test_why_ssh_gives_no_session_is_said(program, repository, local, tmp_path):
    restic, ssh = Path(shutil.which("restic")), repository.parent / "bin/ssh"
    restic.unlink()
    restic.write_text("#!/bin/sh\necho 'Fatal: unable to start the sftp session, error: EOF' >&2; exit 1\n")
    ssh.write_text("#!/bin/sh\necho 'Host key verification failed.' >&2; exit 255\n")
    for file in (restic, ssh):
        file.chmod(0o755)
    with pytest.raises(program["items"].BackupError, match="Host key verification failed"):
        program["repository"].restic(local | {"sftp_command": "ssh nas -s sftp"}, "snapshots")


@pytest.mark.parametrize(
    ("place", "asked"), [("/srv/x", 3), ("rest:https://nas/x", 3), ("s3:https://nas/x", 1)]
)
def test_a_store_is_asked_now_and_then_whether_it_has_the_last_snapshot(verbs, monkeypatch, place, asked):
    calls = []
    monkeypatch.setattr(verbs, "has_snapshot", lambda settings, snapshot: calls.append(snapshot) is None)
    state = {"snapshot": "abc"}
    for _ in range(3):
        assert verbs.still_there({"repository": place}, state)
    assert len(calls) == asked
    state["asked"] = time.time() - verbs.ASKED_AFTER_S - 1
    verbs.still_there({"repository": place}, state)
    assert len(calls) == asked + 1
