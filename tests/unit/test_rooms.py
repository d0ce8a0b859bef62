"""Who may import whom: a service stands on what is shared and on the protocol, never on another service."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HAL = Path(__file__).parents[2] / "src/hal"
SERVICES = {"gateway", "speech", "engine", "client", "wyoming"}
MAY_IMPORT = {service: {service, "shared", "protocol"} for service in SERVICES} | {
    "shared": {"shared", "protocol"},
    "protocol": set(),
}


def rooms_imported(source: str) -> Iterator[str]:
    """Yield the part of hal that each import names, wherever in the file it stands."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "a relative import hides what is imported"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name == "hal" or name.startswith("hal."):
                yield name.partition(".")[2].partition(".")[0] or "everything"


@pytest.mark.parametrize("room", sorted(MAY_IMPORT))
def test_no_service_imports_another_and_what_is_shared_imports_none(room: str) -> None:
    files = [HAL / f"{room}.py"] if (HAL / f"{room}.py").is_file() else sorted((HAL / room).rglob("*.py"))
    assert files
    wrong = [
        f"{file.relative_to(HAL)} imports hal.{imported}"
        for file in files
        for imported in rooms_imported(file.read_text(encoding="utf-8"))
        if imported not in MAY_IMPORT[room]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        "import hal.engine.text",
        "from hal import engine",
        "from hal.engine import text",
        "from hal.engine.text import COMMON",
        "def late():\n    from hal.engine import text",
    ],
)
def test_every_way_to_import_is_seen(source: str) -> None:
    assert list(rooms_imported(source)) == ["engine"]
