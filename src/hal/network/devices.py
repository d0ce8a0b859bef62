"""The devices that may ask the gateway, each with a token of its own, among the secrets."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import yaml

from hal.network.secret_variables import with_variables

TOKENS = "network_device_tokens"
FORMER = "network_former_secrets"  # {variable: what it was}, while playbooks/rotate_secrets.yml replaces them
CHECKS = "checks"  # the device that the checks are
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


class DeviceError(Exception):
    """What was asked for cannot be done; the text says why, and what to do instead."""


@dataclass(frozen=True)
class Change:
    """What a change of the devices comes to: their tokens from now on, and who got or lost one."""

    tokens: dict[str, str]
    added: tuple[str, ...]
    revoked: tuple[str, ...]


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(32)


def change(
    tokens: Mapping[str, str],
    add: Iterable[str] = (),
    revoke: Iterable[str] = (),
    *,
    replace: bool = False,
) -> Change:
    """Give devices tokens and take others' away.

    Args:
        tokens: the tokens by the devices' names.
        add: names of the devices that get one.
        revoke: names of the devices that lose theirs.
        replace: whether a device that has one gets another.

    Raises:
        DeviceError: a name is none, is already there, or is not.
    """
    adding, revoking = tuple(dict.fromkeys(add)), tuple(dict.fromkeys(revoke))
    for name in adding:
        if not _NAME.fullmatch(name):
            raise DeviceError(
                f"{name!r} is no name for a device: letters, digits, full stops, hyphens and underscores, "
                "at most 63, the first a letter or a digit."
            )
        if name in tokens and not replace:
            raise DeviceError(f"{name} has a token already; --replace makes another, and this one ends.")
    for name in revoking:
        if name not in tokens:
            raise DeviceError(f"{name} has no token. There are: {', '.join(sorted(tokens)) or 'none'}.")
        if name == CHECKS:
            raise DeviceError(
                f"The checks cannot ask without a token; `hal devices add {CHECKS} --replace` makes another."
            )
        if name in adding:
            raise DeviceError(f"{name} cannot be added and revoked at once; --replace makes another token.")
    left = {name: token for name, token in tokens.items() if name not in revoking}
    now = left | {name: new_token() for name in adding}
    return Change(dict(sorted(now.items())), adding, revoking)  # as they stand in the file


def tokens_in(text: str) -> dict[str, str]:
    """Return the tokens in a text of secret variables."""
    return dict((yaml.safe_load(text) or {}).get(TOKENS) or {})


def changed_text(text: str, tokens: Mapping[str, str]) -> str:
    """Return a text of secret variables with these tokens, and the comment above them as it was.

    A device whose token goes or becomes another also loses the former one that was still taken of it.
    """
    held = yaml.safe_load(text) or {}
    before, former = held.get(TOKENS) or {}, held.get(FORMER) or {}
    if TOKENS in former:
        left = {name: old for name, old in former[TOKENS].items() if tokens.get(name) == before.get(name)}
        held[FORMER] = former | {TOKENS: left}
    return with_variables(text, held | {TOKENS: dict(tokens)})
