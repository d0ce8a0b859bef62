"""The way out of every host is closed: one that is lost comes back all the same, from what is kept inside."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

import loss
import machine
import network

HOST, KEEPER = "haproxy", "nas"
COMMENT = "hal: no way out"


def iptables(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run iptables on the controller."""
    return subprocess.run(["iptables", "--wait", *arguments], capture_output=True, text=True, check=False)


def rules() -> list[list[str]]:
    """Return a rule for each host; what the hosts say to each other is not forwarded."""
    elsewhere = f"! --destination {machine.NETWORK}".split()
    drop = ["--match", "comment", "--comment", COMMENT, "--jump", "DROP"]
    return [["FORWARD", "--source", address, *elsewhere, *drop] for address in network.addresses().values()]


def open_again() -> None:
    """Remove the rules, also those that a killed run left."""
    for rule in rules():
        while iptables("--delete", *rule).returncode == 0:
            pass


@pytest.fixture
def close() -> Iterator[Callable[[], None]]:
    """Close the way out of every host until the test ends."""

    def run() -> None:
        for rule in rules():
            done = iptables("--insert", *rule)
            assert done.returncode == 0, done.stderr

    open_again()
    try:
        yield run
    finally:
        open_again()


def refused() -> int:
    """Return how many packets have been kept from leaving."""
    listing = iptables("--list", "FORWARD", "--numeric", "--verbose", "--exact").stdout
    return sum(int(line.split()[0]) for line in listing.splitlines() if COMMENT in line)


@pytest.fixture
def leaves(on):
    """Return whether a host gets an answer from the archive of its packages, without the cache."""
    archive = on(HOST, "apt-get indextargets --format '$(REPO_URI)' | head -1").stdout.strip()
    assert archive.startswith("http")

    def ask(host: str) -> bool:
        probe = f"curl --silent --noproxy '*' --max-time 10 --output /dev/null {archive}"
        return bool(on(host, probe).returncode == 0)

    return ask


@pytest.fixture
def served(on):
    """Return how often the cache has given out the package that only the lost host has."""
    counted = "grep -c 'GET .*/haproxy_.*[.]deb .* 200 ' /var/log/nginx/packages.log"
    return lambda: int(on(KEEPER, counted).stdout)


def test_a_lost_host_comes_back_without_the_internet(lab, on, playbook, hal, close, leaves, served):
    # What a host fetches every day, so that the cache has what the lists name.
    daily = "apt-get update --error-on=any && apt-get --yes --download-only dist-upgrade"
    filled = on(HOST, daily, timeout=300)
    assert filled.returncode == 0, filled.stdout + filled.stderr
    assert leaves(HOST) and leaves(KEEPER)

    close()
    before, served_before = refused(), served()
    assert not leaves(HOST) and not leaves(KEEPER)
    assert refused() > before
    loss.lose(lab, HOST)
    assert on(HOST, "true").returncode != 0
    done = playbook("playbooks/recover.yml", "-e", f"host={HOST}")

    assert done.returncode == 0, done.stdout[-6000:]
    assert on(HOST, "dpkg-query --show --showformat '${db:Status-Abbrev}' haproxy").stdout == "ii "
    assert served() > served_before
    answer = hal("ask", "--json", "--url", f"ws://{HOST}:8768", "What allergies do I have?")
    assert answer["intent"] == "ALLERGY"
    # The lists were kept, too, and nothing has left all the while.
    updated = on(HOST, "apt-get update --error-on=any", timeout=300)
    assert updated.returncode == 0, updated.stdout + updated.stderr
    assert not leaves(HOST) and not leaves(KEEPER)
