"""site.yml killed at random points and run again, and services that could not be restarted once.

`HAL_KILLS` is how often it is killed, `HAL_SEED` repeats a run; both are printed.
"""

import os
import random
import secrets
from collections.abc import Callable

import pytest
from lab import loss
from tests.drills.converge import converge

# Fewer results than a run has that changes nothing; the next kill may come later.
RESULTS = 400
KILLS = int(os.environ.get("HAL_KILLS", "1"))
SEED = int(os.environ.get("HAL_SEED") or secrets.randbelow(10**6))
PORT = 9999

# What is broken before each run, so that it has something to repair where it is killed: (host, command).
DAMAGES: list[tuple[str, str]] = [
    ("qm1", "rm /etc/hal/gateway.env"),
    ("qm1", "rm /etc/hal/gateway-tokens && systemctl stop hal-gateway"),
    ("qm1", "rm /opt/hal/gateway/current"),
    ("qm1", "rm -rf /opt/hal/engine/releases /opt/hal/engine/current && systemctl stop hal-engine"),
    ("qm1", "ufw --force reset"),
    ("haproxy", "rm /etc/haproxy/haproxy.cfg"),
    ("haproxy", "apt-get purge --yes haproxy"),
    ("haproxy", "rm -r /etc/haproxy/certificates"),
    ("ubuai", "rm /etc/hal/speech.env && systemctl disable --now hal-speech"),
    ("ubuai", "rm -rf /var/lib/ollama/* && systemctl restart ollama"),
    ("ubuai", "rm /etc/systemd/system/ollama.service && systemctl daemon-reload"),
    ("nas", "rm -rf /etc/nginx/sites-enabled/* && systemctl stop nginx"),
    ("mac", "rm -rf /opt/hal/client"),
]
LOSSES = ["qm1", "ubuai", "haproxy"]
LOSS_SHARE = 0.2


@pytest.fixture
def damage(lab, on) -> Callable[[random.Random], str]:
    """Return what breaks something of the lab at random, and says what."""

    def break_something(rng: random.Random) -> str:
        if rng.random() < LOSS_SHARE:
            host = rng.choice(LOSSES)
            loss.lose(lab, host)
            return f"{host} deleted"
        broken = rng.sample(DAMAGES, 2)
        for host, command in broken:
            on(host, command)
        return "; ".join(f"{host}: {command}" for host, command in broken)

    return break_something


def test_a_run_killed_anywhere_is_made_good_by_the_next(damage, playbook, assert_unchanged):
    print(f"\nHAL_SEED={SEED} HAL_KILLS={KILLS}")
    rng = random.Random(SEED)
    length = RESULTS
    for number in range(1, KILLS + 1):
        what = damage(rng)
        point = rng.randrange(1, length)
        killed = converge(kill_after=point)
        host, task, _ = killed.results[-1]
        print(f"{number}. {what}\n   killed after result {point}: {task} on {host}", flush=True)
        done = converge()
        assert done.code == 0, f"HAL_SEED={SEED}, kill {number}, after {what}: {done.faults}"
        length = len(done.results)
    assert_unchanged(playbook("site.yml"))


def test_a_restart_that_failed_is_made_good_by_the_next_run(on):
    """What should have been restarted is known from what runs, not from what this run changed."""
    drop_ins = "/etc/systemd/system/hal-gateway.service.d"
    obstacle = "[Service]\\nExecStartPre=/bin/false\\n"
    by_hand = (
        "sed -i 's/MAX_SESSIONS=.*/MAX_SESSIONS=7/' /etc/hal/gateway.env && systemctl restart hal-gateway"
    )
    on("qm1", by_hand)
    on("qm1", f"mkdir -p {drop_ins} && printf '{obstacle}' > {drop_ins}/obstacle.conf")
    try:
        failed = converge("playbooks/configure.yml", "--limit", "qm1")
        assert failed.code != 0 and any("hal-gateway" in fault for fault in failed.faults), failed.faults
    finally:
        on("qm1", f"rm -r {drop_ins}")
    done = converge("playbooks/configure.yml", "--limit", "qm1")
    assert done.code == 0, done.faults
    running = on("qm1", "tr '\\0' '\\n' < /proc/$(systemctl show -P MainPID hal-gateway)/environ").stdout
    assert "MAX_SESSIONS=200" in running and "MAX_SESSIONS=7" not in running


def test_a_reload_that_failed_is_made_good_by_the_next_run(on):
    """The old process goes on with its old configuration, while the new one is on the disk already."""
    opened = f"ss -Hltn 'sport = :{PORT}'"
    extra = f"listen obstacle\\n  bind 127.0.0.1:{PORT}\\n"
    on("haproxy", f"printf '{extra}' >> /etc/haproxy/haproxy.cfg && systemctl reload haproxy")
    assert on("haproxy", opened).stdout, "the change by hand is in force"
    on("haproxy", "echo 'EXTRAOPTS=--none-such' >> /etc/default/haproxy")
    try:
        failed = converge("playbooks/configure.yml", "--limit", "haproxy")
        assert failed.code != 0 and any("haproxy" in fault for fault in failed.faults), failed.faults
        assert "obstacle" not in on("haproxy", "cat /etc/haproxy/haproxy.cfg").stdout
        assert on("haproxy", opened).stdout, "and still runs, though it is no longer on the disk"
    finally:
        on("haproxy", "sed -i '/^EXTRAOPTS=--none-such$/d' /etc/default/haproxy")
    done = converge("playbooks/configure.yml", "--limit", "haproxy")
    assert done.code == 0, done.faults
    assert not on("haproxy", opened).stdout
