"""Devices and their tokens: who gets one, who loses one, and what is refused."""

from __future__ import annotations

import pytest

from hal.network.devices import CHECKS, DeviceError, change
from hal.network.preparation import preparation_faults

HELD = {"mac": "of the mac", "tablet": "of the tablet", CHECKS: "of the checks"}


def test_a_new_device_gets_a_token_and_the_others_keep_theirs():
    done = change(HELD, add=["kitchen"])
    assert done.added == ("kitchen",) and done.revoked == ()
    assert {name: done.tokens[name] for name in HELD} == HELD
    assert len(done.tokens["kitchen"]) >= 40
    assert done.tokens["kitchen"] != change(HELD, add=["kitchen"]).tokens["kitchen"]


def test_a_revoked_device_has_none():
    assert change(HELD, revoke=["tablet"]).tokens == {name: HELD[name] for name in ("mac", CHECKS)}


def test_a_token_is_replaced_where_that_is_asked_for():
    done = change(HELD, add=["mac", CHECKS], replace=True)
    assert done.tokens["tablet"] == HELD["tablet"]
    assert not {done.tokens["mac"], done.tokens[CHECKS]} & set(HELD.values())


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"add": ["mac"]}, "mac has a token already; --replace"),
        ({"add": ["two words"]}, "'two words' is no name for a device"),
        ({"add": ["-x"]}, "is no name"),
        ({"add": ["a" * 64]}, "is no name"),
        ({"add": [""]}, "is no name"),
        ({"revoke": ["radio"]}, "radio has no token. There are: checks, mac, tablet"),
        ({"revoke": [CHECKS]}, "The checks cannot ask without a token"),
        ({"add": ["mac"], "revoke": ["mac"], "replace": True}, "added and revoked at once"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_reason(asked, why):
    with pytest.raises(DeviceError, match=why):
        change(HELD, **asked)


@pytest.mark.parametrize(("tokens", "faults"), [(HELD, 0), ({"mac": "of the mac"}, 1)])
def test_a_vault_without_a_token_for_the_checks_is_a_fault(tokens, faults):
    lacking = preparation_faults(
        {
            "administrator_key": None, "clients": {}, "client_networks": [], "machines": {},
            "listener_mode": "gateway", "gpu": "none", "timezone": "",
            "secrets": {"network_device_tokens": tokens}, "secrets_file": "vault.yml", "vault_fault": "",
            "files": [], "libraries": {}, "rsync": None,
        },
        lambda _: True,
    )  # fmt: skip
    named = [fault for fault in lacking if "none for the checks" in fault and "of the mac" not in fault]
    assert len(lacking) == len(named) == faults
