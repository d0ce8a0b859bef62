"""What opens the backups, as QR codes on the recovery kit's sheet, encrypted as the kit is."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import segno
import yaml

CODE_CHARACTERS = 2000  # of the text in one code, which then has 117 modules a side at most
MOST_CODES = 6  # so many fit on a page, and whoever scans more of them makes a mistake
_QUIET_MODULES = 4  # around a code, as ISO/IEC 18004 has it


def sheet_codes(values: Mapping[str, Any], encrypt: Callable[[bytes], bytes]) -> tuple[list[str], list[str]]:
    """Return the QR codes that hold these variables, and the names of those that found no room.

    Args:
        values: the variables; empty ones are left out.
        encrypt: returns the text of `ansible-vault` for what it is given.

    Returns:
        What the codes hold, in their order: text that `ansible-vault` decrypts once it stands in one file,
        each part on a line of its own. The largest values go first where all would need more than MOST_CODES.
    """
    # Ansible's own kinds of text, which YAML does not write, are plain text in JSON.
    held = json.loads(json.dumps({name: value for name, value in values.items() if value}))
    left_out: list[str] = []
    while True:
        texts = _parts(encrypt(yaml.safe_dump(held, sort_keys=False, allow_unicode=True).encode()).decode())
        if len(texts) <= MOST_CODES:
            return texts, left_out
        left_out.append(max(held, key=lambda name: len(json.dumps(held[name]))))
        del held[left_out[-1]]


def _parts(text: str) -> list[str]:
    """Cut the text of a vault into as few parts as hold it, of equal length."""
    header, *lines = text.split()
    body = "".join(lines)
    length = math.ceil(len(body) / math.ceil(len(body) / CODE_CHARACTERS))
    first, *others = (body[start : start + length] for start in range(0, len(body), length))
    return [f"{header}\n{first}", *others]


def code_svg(text: str) -> str:
    """Return a QR code as SVG, black on nothing; error correction M restores 15 % of it.

    The body of a vault is hexadecimal digits of hexadecimal digits, nearly all of them decimal, which a code
    holds in less than half the room of letters.
    """
    runs = re.findall(r"[0-9]{8,}|(?:(?![0-9]{8}).)+", text, re.DOTALL)  # digits, and what is between them
    code = segno.make(
        cast("str", runs), error="m", micro=False, boost_error=False
    )  # its types know of one run
    return str(code.svg_inline(omitsize=True, border=_QUIET_MODULES, svgclass="code"))
