"""Each of Lynis's tests that the profile leaves out is answered, and the other way round."""

from __future__ import annotations

import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_what_the_profile_leaves_out_is_what_is_answered() -> None:
    left_out = re.findall(r"^skip-test=(\S+)$", (DOCS / "lynis.prf").read_text(), re.MULTILINE)
    table = (DOCS / "lynis.md").read_text().partition("## Not set")[2]
    answered = [
        test for row in re.findall(r"^\| ([A-Z].*?) \|", table, re.MULTILINE) for test in row.split(", ")
    ]
    assert sorted(left_out) == sorted(answered)
