"""Every secret that was made is replaced: the former ones open nothing, the new ones everything of before."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
from pathlib import Path

import yaml
from lab import network

from hal.network.backups import backup_access

PROJECT = Path(__file__).resolve().parents[2]
PLAYBOOK = "playbooks/rotate_secrets.yml"


def held():
    return yaml.safe_load(network.SECRETS.read_text())


def snapshots(on):
    """Return the ids of the backups of qm1, as it lists them itself."""
    done = on("qm1", "hal-backup snapshots")
    assert done.returncode == 0, done.stderr
    return {one["id"] for one in json.loads(done.stdout)["engine"]}


def opens(on, secret, host="qm1"):
    """Tell whether a secret opens the repository of a host where it lies, on the backup server."""
    password = backup_access(host, secret)["encryption"]
    restic = f"runuser -u restic-rest-server -- restic --no-cache --no-lock -r /srv/backups/{host} cat config"
    done = on("nas", f"RESTIC_PASSWORD={password} {restic}")
    assert done.returncode == 0 or "wrong password" in done.stderr, done.stderr
    return done.returncode == 0


def answers(on, secret, host="qm1"):
    """Return what the backup server answers a host with the password that comes from a secret."""
    login = f"{host}:{backup_access(host, secret)['password']}"
    url = f"https://nas:8000/{host}/config"
    asked = f"curl -sI -o /dev/null -w '%{{http_code}}' --cacert /etc/hal/backup-ca.crt -u {login} {url}"
    return int(on(host, asked).stdout)


def ask(on, token):
    """Ask from the Mac with a token; return what the client said."""
    given = f"printf %s {shlex.quote(token)} > ~/token-tried; HAL_TOKEN_FILE=~/token-tried"
    done = on("mac", f"{given} hal ask 'What medications am I taking?'; rm ~/token-tried", user="lawr")
    return done.stdout + done.stderr


def spoken(on, token):
    """Return what the proxy answers who asks for the voices with a token."""
    header = shlex.quote(f"Authorization: Bearer {token}")
    command = f"curl -sk -o /dev/null -w '%{{http_code}}' -H {header} https://haproxy/v1/audio/voices"
    return int(on("mac", command).stdout)


def assert_rotated(on, before):
    """Check that the former secrets open nothing, and the new ones what they did."""
    after = held()
    assert "network_former_secrets" not in after
    old, new = before["network_backup_secret"], after["network_backup_secret"]
    for host in ("qm1", "haproxy"):
        assert not opens(on, old, host) and opens(on, new, host)
        assert (answers(on, old, host), answers(on, new, host)) == (401, 200)
    tokens, now = before["network_device_tokens"], after["network_device_tokens"]
    for name in ("mac", "checks"):
        assert tokens[name] != now[name]
        assert "metformin" not in ask(on, tokens[name]).lower()
        assert "metformin" in ask(on, now[name]).lower()
        assert spoken(on, tokens[name]) == 401 != spoken(on, now[name])


def test_former_secrets_are_refused_and_new_ones_open_what_was_there(on, playbook, hal):
    before, old_backups = held(), snapshots(on)
    done = playbook(PLAYBOOK)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert_rotated(on, before)
    assert old_backups & snapshots(on)
    proved = on("qm1", "hal-backup backup && hal-backup prove", timeout=300)
    assert proved.returncode == 0, proved.stdout + proved.stderr
    assert hal("ask", "--json", "What medications am I taking?")["status"] == "success"


def test_after_that_nothing_is_to_be_changed(playbook, assert_unchanged):
    assert_unchanged(playbook("site.yml"))


def test_a_run_that_was_killed_is_gone_on_with_and_nobody_is_locked_out_meanwhile(on, playbook):
    before, task = held(), "backup_server : Run the server as configured"
    command = [str(PROJECT / ".venv/bin/ansible-playbook"), PLAYBOOK]
    with subprocess.Popen(
        command, cwd=PROJECT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        reached = next((line for line in running.stdout if f"[{task}" in line), None)
        os.killpg(running.pid, signal.SIGKILL)
    assert reached, f"the run never came to {task}"
    done = playbook("site.yml")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "until playbooks/rotate_secrets.yml" in done.stdout
    half = held()
    for secrets in (before, half):
        assert opens(on, secrets["network_backup_secret"])
        assert "metformin" in ask(on, secrets["network_device_tokens"]["mac"]).lower()
    done = playbook(PLAYBOOK, "-e", "rotate_only=tokens")  # it ends what was begun, too
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    # What was made at first is what is taken in the end.
    assert held() == {name: value for name, value in half.items() if name != "network_former_secrets"}
    assert_rotated(on, before)
