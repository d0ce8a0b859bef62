"""Hosts that have a twin lose their power while clients ask: no turn fails but those in flight."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml
from lab import containers, contents, loss, network, profiles, traffic
from lab.description import Description
from lab.traffic import RECORDS, Traffic

PROJECT = Path(__file__).resolve().parents[2]
BRING_UP_S = 900
SETTLE_S = 90
# Of each kind of question so many must have been answered after the loss.
ENOUGH = {RECORDS: 8, traffic.GENERAL: 1, traffic.SPOKEN: 2}


def bring_up(profile):
    """Bring the lab up with a profile's hosts: site.yml, its checks included, must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "lab", "up", "--profile", profile],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BRING_UP_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.fixture(scope="module")
def pairs(lab):
    """Give the lab its twins, and put it back afterwards as it was, unless nobody needs it any more."""
    before = profiles.current()
    try:
        bring_up("ha")
        yield Description()
    finally:
        if "HAL_LAB_IS_REMOVED" not in os.environ:
            bring_up(before)


@pytest.fixture
def holder(pairs, on):
    """Tell which proxies have the address that they share."""
    (address,) = network.shared_address().values()

    def ask():
        proxies = pairs.network.groups["proxies"]
        return [host for host in proxies if f"{address}/" in on(host, "ip -4 -o address").stdout]

    return ask


def vrrp_secret():
    return yaml.safe_load(network.SECRETS.read_text())["network_vrrp_secret"]


def enough(since):
    """Judge whether every stream had its answers since a moment."""

    def judge(turns):
        answers = Counter((turn.stream, turn.kind) for turn in turns if turn.ok and turn.asked > since)
        streams = {(turn.stream, turn.kind) for turn in turns}
        return all(answers[stream] >= ENOUGH[stream[1]] for stream in streams)

    return judge


@pytest.fixture
def lose_power(lab, pairs):
    """Let hosts lose their power while clients ask, judge what became of their turns, and switch them on."""

    def lose(*hosts, meanwhile=lambda: None):
        assert all(pairs.has_twin(host) for host in hosts)
        with Traffic(lab, traffic.streams(*pairs.ways)) as clients:
            assert clients.wait_all_answered(traffic.now(), SETTLE_S), clients.turns
            lost_at = max([loss.power_off(lab, host) for host in hosts])
            try:
                answered = clients.wait_until(enough(lost_at), SETTLE_S)
                meanwhile()
            finally:
                for host in hosts:
                    loss.power_on(host)
        for host in hosts:
            containers.wait_booted(lab, host)
        seen = traffic.judge(clients.turns, lost_at, contents.read(lab, pairs, "qm1").log)
        print(f"\n{hosts}: {seen}")
        assert answered, seen
        return seen

    return lose


def test_the_proxy_that_has_the_address_and_an_ai_server_at_once(holder, lose_power):
    (before,) = holder()
    during = []
    seen = lose_power(before, "ubuai", meanwhile=lambda: during.extend(holder()))
    assert (seen.failed_since, seen.lost) == (0, []), seen
    assert len(during) == 1 and during != [before]
    assert holder() == during, "it stays where it is when the other one is back"


def test_the_pair_gets_another_password_and_the_address_stays(holder, on):
    (before,) = holder()
    former, begun = vrrp_secret(), int(on(before, "date +%s").stdout)
    done = subprocess.run(
        [
            sys.executable, "-m", "ansible", "playbook", "playbooks/rotate_secrets.yml",
            "-e", "rotate_only=pair",
        ],
        cwd=PROJECT, capture_output=True, text=True, timeout=BRING_UP_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert vrrp_secret() != former
    assert holder() == [before]
    journal = on(before, f"journalctl --unit keepalived --since @{begun} --output cat").stdout
    assert "Reload" in journal and "Entering BACKUP STATE" not in journal, "the address has moved"


def test_a_gateway_behind_the_proxies(lose_power):
    seen = lose_power("gateway2")
    assert (seen.failed_since, seen.lost) == (0, []), seen


def test_only_the_records_have_no_twin(pairs):
    virtual = pairs.network.groups["virtual_machines"]
    assert [host for host in virtual if not pairs.has_twin(host)] == ["qm1"]
