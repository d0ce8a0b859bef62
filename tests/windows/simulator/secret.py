"""A secret, and whether a text holds it, however it is written there."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Secret:
    """A secret of the household that the plays run for.

    Args:
        name: What messages call it.
        value: The secret.
        options: The options of roles that hold it.
        belongs: A pattern for the calls, as JSON, that are meant to hold it; empty if no host may be told.
        becomes: The names of the secrets that are made of it.
    """

    name: str
    value: str
    options: tuple[str, ...] = ()
    belongs: str = ""
    becomes: tuple[str, ...] = ()

    def is_in(self, text: str) -> bool:
        """Tell whether a text holds it."""
        return any(form in text for form in self._forms)

    @cached_property
    def _forms(self) -> list[str]:
        return list(forms(self.value))


def forms(secret: str) -> Iterator[str]:
    """Yield how a secret may be written: as it is, in JSON, and in base64 as PowerShell takes it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    for encoded in (secret.encode(), secret.encode("utf-16-le")):
        # Within a longer text base64 shows it in one of three ways; what is cut depends on its neighbours.
        for shift in range(3):
            piece = base64.b64encode(b"\0" * shift + encoded).decode()[4 * bool(shift) : -4]
            if len(piece) >= 8:
                yield piece
