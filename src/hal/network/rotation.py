"""Replacing the secrets that were made here, each kept beside the new one until the services refuse it.

Both stand in the file of the secrets from one moment on, so that a run that is killed anywhere can be run
again: what `network_former_secrets` has is not replaced once more, but brought to its end.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hal.network.devices import CHECKS, FORMER, TOKENS, new_token

BACKUPS, DEVICE_TOKENS, PAIR = "backups", "tokens", "pair"
KINDS = {BACKUPS: "network_backup_secret", DEVICE_TOKENS: TOKENS, PAIR: "network_vrrp_secret"}
# How many random bytes those have that are one text. VRRP takes no more than 8 characters.
_BYTES = {BACKUPS: 32, PAIR: 6}
_BEFORE = "former:"  # before the name of a device: no device may be called so


class RotationError(Exception):
    """What was asked for cannot be done; the text says why, and what to do instead."""


@dataclass(frozen=True)
class Rotation:
    """What a rotation comes to.

    Attributes:
        variables: the file's variables as they are to be.
        kinds: whose former secrets are to be refused in the end.
        begun: those of them that get new secrets now; the others got theirs in a run that did not end.
        skipped: why others are left alone, by kind.
        kept: names of devices whose tokens stay, since nobody but a person can bring them another.
    """

    variables: dict[str, Any]
    kinds: tuple[str, ...]
    begun: tuple[str, ...]
    skipped: dict[str, str]
    kept: tuple[str, ...]


def new_secrets() -> dict[str, str]:
    """Return new secrets by their variables: those that are one text, which are the whole network's."""
    return {KINDS[kind]: secrets.token_urlsafe(size) for kind, size in _BYTES.items()}


def named_kinds(only: str | Iterable[str]) -> list[str]:
    """Return the kinds that `rotate_only` names, as a list, as `a,b` or as `[a,b]`; none when it names none.

    Raises:
        RotationError: a name is none of KINDS.
    """
    listed = only.strip().strip("[]").split(",") if isinstance(only, str) else only
    names = list(dict.fromkeys(name for one in listed if (name := str(one).strip().strip("'\""))))
    if unknown := [name for name in names if name not in KINDS]:
        raise RotationError(
            f"rotate_only names {', '.join(unknown)}; there are {', '.join(KINDS)}, "
            f"as in -e rotate_only={DEVICE_TOKENS}."
        )
    return names


def unfit_backups(store: str, offsite: str, *, store_keeps: bool, offsite_keeps: bool) -> str:
    """Return why the backups' secret cannot be replaced from here, as a sentence; empty: it can be.

    Args:
        store: network_backup_store, empty with a backup server.
        offsite: network_backup_offsite, empty without off-site copies.
        store_keeps: whether nothing can be deleted in the store from here.
        offsite_keeps: the same of the off-site copies.
    """
    for name, place, keeps in (
        ("network_backup_store", store, store_keeps),
        ("network_backup_offsite", offsite, offsite_keeps),
    ):
        if place.startswith("sftp:"):
            return (
                f"{name} is reached by SFTP, with keys that come from network_backup_secret, and only its "
                "owner can let others in."
            )
        if place and keeps:
            return f"{name} lets nobody remove anything from here, and so no former password either."
    return ""


def begin(
    held: Mapping[str, Any], only: str | Iterable[str], unfit: Mapping[str, str], clients: Iterable[str]
) -> Rotation:
    """Make the new secrets, and keep the former ones beside them; what was begun earlier is gone on with.

    Args:
        held: the variables of the file of the secrets.
        only: which kinds, as `named_kinds` reads them; none means all.
        unfit: why a kind cannot be replaced in this network, by kind; empty: it can be.
        clients: names of the devices that Ansible brings their tokens.

    Raises:
        RotationError: a name is none, what it names cannot be replaced here, or there is nothing to replace.
    """
    named = named_kinds(only)
    former = dict(held.get(FORMER) or {})
    unfinished = [kind for kind, variable in KINDS.items() if variable in former]
    reasons = {kind: why for kind, why in unfit.items() if why and kind not in unfinished}
    if refused := [kind for kind in named if kind in reasons]:
        raise RotationError(f"{refused[0]} cannot be replaced here: {reasons[refused[0]]}")
    wanted = [kind for kind in named or KINDS if kind not in reasons]
    begun = [kind for kind in wanted if kind not in unfinished]
    new: dict[str, Any] = {}
    for kind in begun:
        variable = KINDS[kind]
        if not held.get(variable):
            raise RotationError(
                f"{variable} does not stand in the file of the secrets, so nothing of it was made here: "
                "write it there, or leave it out with -e rotate_only=…"
            )
        if kind == DEVICE_TOKENS:
            # The file's own names, which YAML can write; Ansible's are texts of a kind of their own.
            brought = [name for name in held[TOKENS] if name in {CHECKS, *clients}]
            former[TOKENS] = {name: held[TOKENS][name] for name in brought}
            new[TOKENS] = held[TOKENS] | {name: new_token() for name in brought}
        else:
            former[variable], new[variable] = held[variable], new_secrets()[variable]
    kinds = tuple(kind for kind in KINDS if kind in unfinished or kind in begun)
    tokens = former.get(TOKENS, {})
    kept = sorted(name for name in held.get(TOKENS) or {} if DEVICE_TOKENS in kinds and name not in tokens)
    skipped = {} if named else {kind: why for kind, why in reasons.items() if kind in KINDS}
    return Rotation(dict(held) | new | {FORMER: former}, kinds, tuple(begun), skipped, tuple(kept))


def end(held: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables without the former secrets, which nothing takes any more."""
    return {name: value for name, value in held.items() if name != FORMER}


def replaced(held: Mapping[str, Any], replacements: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables with new values for those that they hold; others stand elsewhere."""
    return dict(held) | {name: value for name, value in replacements.items() if name in held}


def with_former_tokens(tokens: Mapping[str, str], former: Mapping[str, str]) -> dict[str, str]:
    """Return the tokens that are taken while they are replaced: beside a device's own the one that it had.

    Args:
        tokens: network_device_tokens.
        former: the former tokens by the devices' names; a device that has been revoked since has none.
    """
    return dict(tokens) | {f"{_BEFORE}{name}": token for name, token in former.items() if name in tokens}
