"""What the documents point to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [
    path
    for place in (
        ROOT.glob("*.md"),
        *((ROOT / name).rglob("*.md") for name in ("docs", "qm", "roles", "tests")),
    )
    for path in place
]
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\]\((?!\w+:)([^)#]+)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    targets = LINK.findall(CODE.sub("", document.read_text()))
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_test_that_is_named_exists(document: Path) -> None:
    named = re.findall(r"`((?:tests|molecule)/[\w./-]+\.\w+)`", document.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []
