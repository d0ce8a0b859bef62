"""The text of a file of secret variables, as it is before it is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from typing import Any

import yaml


def with_variables(text: str, variables: Mapping[str, Any]) -> str:
    """Return a text with these variables, and the comment above them as it was.

    Args:
        text: the file's text before, in clear.
        variables: all that the file is to hold.
    """
    comment = takewhile(lambda line: line.startswith("#"), text.splitlines(keepends=True))
    return "".join(comment) + yaml.safe_dump(dict(variables))
