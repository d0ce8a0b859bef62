"""The passwords of repositories: a new one is added before the former one opens nothing any more."""

from __future__ import annotations

import json
from typing import Any

import repositories


def with_former(settings: dict[str, Any], host: str) -> dict[str, Any]:
    """Return the settings of a place with the former password of a host's repository as its password."""
    return settings | {"passwords": {host: settings["former"][host]}}


def opens(settings: dict[str, Any], host: str) -> bool:
    """Return whether the password opens a host's repository.

    Raises:
        RepositoryError: the repository does not tell.
    """
    try:
        repositories.restic(settings, host, "cat", "config", "--no-lock")
    except repositories.RepositoryError as error:
        if repositories.WRONG_PASSWORD not in str(error):
            raise
        return False
    return True


def admit(settings: dict[str, Any], host: str) -> None:
    """Add the present password to a repository that only the former one opens, which goes on opening it.

    Raises:
        RepositoryError: neither opens it, or it cannot be added.
    """
    if settings["former"].get(host) and not opens(settings, host):
        new = settings["passwords"][host]
        repositories.restic(with_former(settings, host), host, "key", "add", told_secretly=f"{new}\n")
        print(f"{host}: the new password was added in {settings['location']}")


def retire(settings: dict[str, Any], host: str) -> None:
    """Remove the key of the former password from a repository, which the present one must open.

    Keys that somebody else has added stay.

    Raises:
        RepositoryError: the present password does not open it, or the key cannot be removed.
    """
    if not opens(settings, host):
        raise repositories.RepositoryError(
            f"the new password does not open {settings['location']}/{host}, so the former one stays; "
            "`hal-backup-maintenance --create` adds it"
        )
    former = with_former(settings, host)
    removed: set[str] = set()
    while opens(former, host):
        (key,) = (
            one["id"]
            for one in json.loads(repositories.restic(former, host, "key", "list", "--json"))
            if one["current"]
        )
        if key in removed:
            raise repositories.RepositoryError(
                f"the former password still opens {settings['location']}/{host}"
            )
        repositories.unlock(settings, host)
        repositories.restic(settings, host, "key", "remove", key)
        removed.add(key)
        print(f"{host}: the former password was removed in {settings['location']}")


def retire_everywhere(settings: dict[str, Any], copies: dict[str, Any] | None, host: str) -> None:
    """Remove the key of the former password from a host's repository and from its off-site copy.

    Raises:
        RepositoryError: the disk of the copies is absent, or one of them keeps it.
    """
    if not settings["former"].get(host):
        return
    if settings["offsite"] and copies is None:
        raise repositories.RepositoryError(
            f"the disk of the off-site copies is not at {settings['offsite']['location']}, and the copy "
            "there still takes the former password. Attach it, and run this again"
        )
    for place in (settings, copies):
        if place and repositories.exists(place, host):
            admit(place, host)
            retire(place, host)
