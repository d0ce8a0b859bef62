"""Each host that has a twin loses its power while clients ask: no turn fails but those in flight."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

import containers
import contents
import loss
import network
import profiles
import traffic
from description import Description
from traffic import RECORDS, Traffic

PROJECT = Path(__file__).resolve().parents[2]
BRING_UP_S = 900
SETTLE_S = 90
# Of each kind of question so many must have been answered after the loss.
ENOUGH = {RECORDS: 8, traffic.GENERAL: 1, traffic.SPOKEN: 2}


def bring_up(profile):
    """Bring the lab up with a profile's hosts: site.yml, its checks included, must succeed."""
    done = subprocess.run(
        [sys.executable, "lab/lab.py", "up", "--profile", profile],
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
        proxies = pairs.groups["proxies"]
        return [host for host in proxies if f"{address}/" in on(host, "ip -4 -o address").stdout]

    return ask


def enough(since):
    """Judge whether every stream had its answers since a moment."""

    def judge(turns):
        answers = Counter((turn.stream, turn.kind) for turn in turns if turn.ok and turn.asked > since)
        streams = {(turn.stream, turn.kind) for turn in turns}
        return all(answers[stream] >= ENOUGH[stream[1]] for stream in streams)

    return judge


@pytest.fixture
def lose_power(lab, pairs):
    """Let a host lose its power while clients ask, judge what became of their turns, and switch it on."""

    def lose(host, meanwhile=lambda: None):
        assert pairs.has_twin(host)
        with Traffic(lab, traffic.streams(*pairs.ways)) as clients:
            assert clients.wait_all_answered(traffic.now(), SETTLE_S), clients.turns
            lost_at = loss.power_off(lab, host)
            try:
                answered = clients.wait_until(enough(lost_at), SETTLE_S)
                meanwhile()
            finally:
                loss.power_on(host)
        containers.wait_booted(lab, host)
        seen = traffic.judge(clients.turns, lost_at, contents.read(lab, pairs, "qm1").log)
        print(f"\n{host}: {seen}")
        assert answered, seen
        return seen

    return lose


def test_the_proxy_that_has_the_address(holder, lose_power):
    (before,) = holder()
    during = []
    seen = lose_power(before, lambda: during.extend(holder()))
    assert (seen.failed_since, seen.lost) == (0, 0), seen
    assert len(during) == 1 and during != [before]
    assert holder() == during, "it stays where it is when the other one is back"


@pytest.mark.parametrize("host", ["ubuai", "gateway2"])
def test_a_host_behind_the_proxies(host, lose_power):
    seen = lose_power(host)
    assert (seen.failed_since, seen.lost) == (0, 0), seen


def test_only_the_records_have_no_twin(pairs):
    virtual = pairs.groups["virtual_machines"]
    assert [host for host in virtual if not pairs.has_twin(host)] == ["qm1"]
