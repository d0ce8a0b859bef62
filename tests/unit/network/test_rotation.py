"""Secrets are replaced: what is new, what is kept beside it, and what an interruption leaves."""

from __future__ import annotations

import pytest
import yaml

from hal.network.backups import backup_access, backup_repositories
from hal.network.devices import change, changed_text
from hal.network.rotation import (
    KINDS,
    RotationError,
    begin,
    end,
    named_kinds,
    replaced,
    unfit_backups,
    with_former_tokens,
)
from hal.network.secret_variables import with_variables

TOKENS = {"checks": "of the checks", "mac": "of the mac", "tablet": "of the tablet"}
HELD = {
    "network_backup_secret": "old",
    "network_vrrp_secret": "of the pair",
    "network_device_tokens": TOKENS,
    "network_windows_password": "theirs",
}


def rotation(held, only="", unfit=None):
    return begin(held, only, unfit or {}, ["mac", "laptop"])


def test_everything_that_was_made_here_is_replaced_and_kept_beside():
    done = rotation(HELD)
    new = done.variables
    assert new["network_backup_secret"] != "old" and len(new["network_backup_secret"]) >= 40
    tokens = new["network_device_tokens"]
    assert not {tokens["checks"], tokens["mac"]} & set(TOKENS.values()) and len(tokens["mac"]) >= 40
    assert new["network_former_secrets"] == {
        "network_backup_secret": "old",
        "network_device_tokens": {"checks": "of the checks", "mac": "of the mac"},
        "network_vrrp_secret": "of the pair",
    }
    assert done.kinds == done.begun == ("backups", "tokens", "pair")
    assert len(new["network_vrrp_secret"]) == 8, "VRRP takes no more"


def test_what_the_household_brought_and_what_only_a_person_can_bring_a_device_stay():
    done = rotation(HELD)
    assert done.variables["network_windows_password"] == "theirs"
    assert done.variables["network_device_tokens"]["tablet"] == "of the tablet" and done.kept == ("tablet",)
    assert rotation(HELD, "backups").kept == ()


def test_a_run_that_did_not_end_is_gone_on_with_and_makes_nothing_more():
    first = rotation(HELD)
    again = rotation(first.variables)
    assert again.variables == first.variables
    assert again.kinds == ("backups", "tokens", "pair") and again.begun == ()


def test_what_is_named_later_is_begun_beside_what_is_unfinished():
    first = rotation(HELD, "backups")
    assert first.kinds == ("backups",) and first.variables["network_device_tokens"] == TOKENS
    second = rotation(first.variables, ["tokens"])
    assert second.kinds == ("backups", "tokens") and second.begun == ("tokens",)
    assert second.variables["network_backup_secret"] == first.variables["network_backup_secret"]
    assert second.variables["network_former_secrets"]["network_backup_secret"] == "old"


def test_at_the_end_nothing_of_the_former_secrets_is_left():
    new = rotation(HELD).variables
    assert end(new).keys() == HELD.keys()
    assert not {"old", "of the mac", "of the checks"} & {
        end(new)["network_backup_secret"],
        *end(new)["network_device_tokens"].values(),
    }
    assert end(HELD) == HELD


def test_what_was_replaced_elsewhere_is_written_where_it_stood():
    assert replaced(HELD, {"network_windows_password": "new"}) == HELD | {"network_windows_password": "new"}
    assert replaced(HELD, {"network_proxmox_token_secret": "new"}) == HELD


@pytest.mark.parametrize(
    "only", ["tokens,backups", "[tokens, backups]", ["tokens", "backups"], "'tokens', \"backups\""]
)
def test_kinds_are_named_as_a_list_or_as_text(only):
    assert named_kinds(only) == ["tokens", "backups"]


@pytest.mark.parametrize("only", ["", "[]", []])
def test_no_name_means_all(only):
    assert named_kinds(only) == []


def test_a_name_that_is_none_is_refused_with_those_there_are():
    with pytest.raises(
        RotationError,
        match=r"^rotate_only names keys, wifi; there are backups, tokens, pair,"
        r" as in -e rotate_only=tokens\.$",
    ):
        rotation(HELD, "keys,tokens,wifi")


def test_what_cannot_be_replaced_here_is_left_alone_or_refused_where_it_is_named():
    unfit = {"backups": "The store is another's."}
    done = rotation(HELD, unfit=unfit)
    assert done.kinds == ("tokens", "pair") and done.skipped == unfit
    with pytest.raises(RotationError, match="backups cannot be replaced here: The store is another's"):
        rotation(HELD, "backups", unfit)
    begun = rotation(HELD).variables
    assert rotation(begun, unfit=unfit).kinds == tuple(KINDS), "what was begun comes to its end"
    assert rotation(HELD, unfit={"backups": ""}).kinds == tuple(KINDS)


def test_a_secret_that_stands_elsewhere_is_named():
    with pytest.raises(
        RotationError, match="network_backup_secret does not stand in the file of the secrets"
    ):
        rotation({"network_device_tokens": TOKENS})
    assert rotation({"network_device_tokens": TOKENS}, "tokens").kinds == ("tokens",)


@pytest.mark.parametrize(
    ("places", "keeps", "why"),
    [
        (("", ""), (True, False), ""),
        (("s3:https://a/b", ""), (False, False), ""),
        (("", "/media/disk"), (False, False), ""),
        (("sftp:hal@nas:/x", ""), (False, False), "network_backup_store is reached by SFTP"),
        (("", "sftp:hal@nas:/x"), (False, False), "network_backup_offsite is reached by SFTP"),
        (("rest:https://a:8000/b", ""), (True, False), "network_backup_store lets nobody remove"),
        (("", "s3:https://a/b"), (False, True), "network_backup_offsite lets nobody remove"),
    ],
)
def test_where_backups_go_decides_whether_their_secret_can_be_replaced(places, keeps, why):
    said = unfit_backups(*places, store_keeps=keeps[0], offsite_keeps=keeps[1])
    assert said.startswith(why) and bool(said) == bool(why)


def test_services_take_the_former_tokens_beside_the_new_ones():
    new = rotation(HELD).variables
    former = new["network_former_secrets"]["network_device_tokens"]
    taken = with_former_tokens(new["network_device_tokens"], former)
    assert set(taken.values()) == {*TOKENS.values(), *new["network_device_tokens"].values()}
    assert len(taken) == 5 and taken["mac"] == new["network_device_tokens"]["mac"]
    assert with_former_tokens(new["network_device_tokens"], {}) == new["network_device_tokens"]


@pytest.mark.parametrize("asked", [{"revoke": ["mac"]}, {"add": ["mac"], "replace": True}])
def test_a_device_that_is_lost_meanwhile_loses_its_former_token_too(asked):
    held = rotation(HELD).variables
    tokens = change(held["network_device_tokens"], **asked).tokens
    left = yaml.safe_load(changed_text("# Secrets.\n" + yaml.safe_dump(held), tokens))
    former = left["network_former_secrets"]["network_device_tokens"]
    assert former == {"checks": "of the checks"}
    assert "of the mac" not in with_former_tokens(left["network_device_tokens"], former).values()
    assert left["network_former_secrets"]["network_backup_secret"] == "old"


def test_a_change_of_the_tokens_without_a_rotation_adds_nothing():
    text = changed_text(yaml.safe_dump(HELD), change(TOKENS, revoke=["tablet"]).tokens)
    assert yaml.safe_load(text).keys() == HELD.keys()


def test_the_comment_above_the_secrets_stays():
    assert with_variables("# Made here.\na: 1\n", {"b": 2}) == "# Made here.\nb: 2\n"


def test_the_backup_server_knows_the_former_passwords_while_there_are_any():
    groups = {"qm_servers": ["qm1"], "backup_servers": ["nas"]}
    backups = {"engine": {"group": "qm_servers", "kind": "sqlite", "paths": ["/x"], "every": 20}}
    both = backup_repositories(backups, groups, "new", 10, {}, former="old")["qm1"]
    alone = backup_repositories(backups, groups, "new", 10, {})["qm1"]
    old = backup_access("qm1", "old")
    assert {name: both.pop(name) for name in both.keys() - alone.keys()} == {
        "former_encryption": old["encryption"],
        "former_offsite_encryption": old["offsite_encryption"],
    }
    assert both == alone
