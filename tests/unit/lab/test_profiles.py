"""The lab's profiles: which hosts there are, which are gone, and what clients ask."""

from __future__ import annotations

import pytest
from lab import network, profiles
from lab.containers import Lab
from lab.description import Description
from lab.machine import LabError

LAB = Lab("test", "image", "net")
TWINS = {"gateway2", "ubuai2", "haproxy2"}


@pytest.fixture(autouse=True)
def inventory(tmp_path, monkeypatch):
    """Give the lab an inventory of its own, to which a profile can be linked."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "profiles").symlink_to(network.PROFILES)
    (tmp_path / "lab/hosts.yml").write_text(network.HOSTS.read_text())
    monkeypatch.setattr(network, "PROFILES", tmp_path / "profiles")
    monkeypatch.setattr(network, "PROFILE", tmp_path / "lab/profile.yml")


@pytest.fixture
def deleted(monkeypatch):
    """Let the API have these machines, and return those that were deleted."""
    gone = []
    there = {host: {} for host in (*TWINS, "qm1", "ubuai", "haproxy", "stranger")}
    monkeypatch.setattr(profiles, "machines", lambda: there)
    monkeypatch.setattr(profiles, "delete", lambda _, host: gone.append(host))
    return gone


def test_a_profile_adds_its_hosts_and_is_remembered():
    before = network.addresses()
    assert profiles.current() == "default" and network.shared_address() == {}
    profiles.choose("ha")
    assert profiles.current() == "ha"
    assert network.addresses().keys() - before.keys() == TWINS
    assert network.shared_address() == {"hal": "198.18.50.99"}
    profiles.choose("ha")
    profiles.choose("default")
    assert network.addresses() == before


def test_a_profile_that_does_not_exist_is_named():
    with pytest.raises(LabError, match="There is no profile big: there are default, ha"):
        profiles.choose("big")


def test_a_host_has_a_twin_when_another_does_all_that_it_does():
    profiles.choose("ha")
    description = Description()
    with_twin = {host for host in description.network.addresses if description.has_twin(host)}
    assert with_twin == {*TWINS, "ubuai", "haproxy"}
    assert description.ways == ("", "ws://hal:8768")


def test_alone_no_host_has_a_twin():
    description = Description()
    assert not any(description.has_twin(host) for host in description.network.addresses)
    assert description.ways == ("ws://qm1:8768", "ws://haproxy:8768")


def test_what_a_profile_no_longer_has_is_removed_and_a_stranger_named(deleted):
    told = profiles.remove_undescribed(LAB)
    assert set(deleted) == TWINS
    assert "stranger is described nowhere, and was left alone." in told
    assert "haproxy2 is not in the profile default, and was removed." in told


def test_what_the_profile_has_stays(deleted):
    profiles.choose("ha")
    assert profiles.remove_undescribed(LAB) == ["stranger is described nowhere, and was left alone."]
    assert deleted == []
