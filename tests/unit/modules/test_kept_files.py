"""kept_files: what HAL kept beside its own files comes back, and nothing else changes."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

OURS = "# HAL network writes this file.\n"


@pytest.fixture
def put_back(tmp_path: Path, run_module: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that runs the module below the test's directory."""
    return lambda **options: run_module("kept_files", {"roots": [str(tmp_path)]}, **options)


def test_what_managed_files_kept_comes_back_as_it_was_and_only_once(
    put_back: Callable[..., Any], run_module: Callable[..., Any], tmp_path: Path
) -> None:
    settings, link, other = tmp_path / "a/settings", tmp_path / "a/link", tmp_path / "a/own"
    settings.parent.mkdir()
    settings.write_text("theirs\n")
    settings.chmod(0o640)
    (tmp_path / "theirs").write_text("theirs too\n")
    link.symlink_to("../theirs")
    files = [{"path": str(path), "size": len(OURS)} for path in (settings, link, other)]
    contents = base64.b64encode(zlib.compress(OURS.encode() * 3)).decode()
    run_module("managed_files", {"files": files, "contents": contents})
    assert settings.read_text() == link.read_text() == OURS

    foreseen = put_back(check=True)
    assert settings.read_text() == OURS
    done = put_back()
    assert done == foreseen and done["put_back"] == [str(link), str(settings)]
    assert (settings.read_text(), settings.stat().st_mode & 0o777) == ("theirs\n", 0o640)
    assert str(link.readlink()) == "../theirs" and other.read_text() == OURS
    again = put_back()
    assert (again["changed"], again["put_back"]) == (False, [])


def test_what_somebody_changed_after_hal_stays_with_its_copy(
    put_back: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("by hand, after HAL\n")
    (tmp_path / "x.before-hal").write_text("theirs\n")
    done = put_back()
    assert (done["changed"], done["left"]) == (False, [str(tmp_path / "x")])
    assert (tmp_path / "x").read_text() == "by hand, after HAL\n"
    assert (tmp_path / "x.before-hal").read_text() == "theirs\n"


def test_a_unit_comes_back_with_what_adds_to_it_and_its_service_is_named(
    put_back: Callable[..., Any], tmp_path: Path
) -> None:
    units = tmp_path / "systemd/system"
    (units / "ollama.service.d.before-hal").mkdir(parents=True)
    (units / "ollama.service.d.before-hal/override.conf").write_text("[Service]\n")
    (units / "ollama.service").write_text(OURS)
    (units / "ollama.service.before-hal").write_text("[Service]\n")
    assert put_back()["restart"] == ["ollama.service"]
    assert (units / "ollama.service.d/override.conf").exists()
    assert (units / "ollama.service").read_text() == "[Service]\n"
