"""What of a haproxy.cfg stays as it was: words as HAProxy reads them back, and names for its secrets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from hal.network.adoption.settings import PRIVATE_HEADER

PLAIN_WORD = re.compile(r"[^\s\"'#\\$]+")


def quoted(word: str) -> str:
    """Return a word as HAProxy reads it back."""
    return word if PLAIN_WORD.fullmatch(word) else '"' + re.sub(r'([\\"$])', r"\\\1", word) + '"'


class Secrets:
    """The secrets of a fragment.

    Attributes:
        names: what they are called.
    """

    def __init__(self) -> None:
        self.names: list[str] = []

    def taken_out(self, part: str) -> Iterator[str]:
        """Yield the lines of a section with the names of secrets in their place."""
        for text in part.splitlines():
            match shlex.split(text, comments=True):
                case ("user", user, "password" | "insecure-password" as how, _, *rest):
                    yield f"    user {user} {how} {self._secret(user)} {' '.join(rest)}".rstrip()
                case ("stats", "auth", pair) if ":" in pair:
                    user = pair.partition(":")[0]
                    yield f"    stats auth {self._secret(user, f'{user}:')}"
                case (*before, name, _) if (
                    before
                    and before[-1] in ("set-header", "add-header", "hdr")
                    and (PRIVATE_HEADER.search(name))
                ):
                    yield f"    {' '.join(quoted(word) for word in (*before, name))} {self._secret(name)}"
                case _:
                    yield text

    def _secret(self, of: str, before: str = "") -> str:
        """Return the place of a new secret, as HAProxy fills it in."""
        wanted = "SITE_" + re.sub(r"[^A-Z0-9]+", "_", of.upper())
        number, name = 1, wanted
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        self.names.append(name)
        return f'"{before}${{{name}}}"'
