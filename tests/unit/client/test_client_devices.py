"""`hal devices` hands over to the checkout that the person is in."""

from __future__ import annotations

import sys

import pytest

from hal.client.cli import main


@pytest.fixture
def checkout(tmp_path):
    """Return a checkout whose part for devices says how it was called."""
    (tmp_path / "production").mkdir()
    said = "import sys, pathlib; pathlib.Path('said').write_text(' '.join(sys.argv[1:])); sys.exit(7)"
    (tmp_path / "production/devices.py").write_text(said)
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / "docs").mkdir()
    return tmp_path


def test_the_checkout_is_found_from_within_and_its_exit_code_is_told(checkout, monkeypatch):
    monkeypatch.chdir(checkout / "docs")
    assert main(["devices", "add", "tablet", "--replace", "--no-apply"]) == 7
    assert (checkout / "said").read_text() == "add tablet --replace --no-apply"


def test_elsewhere_a_person_is_told_where_to_go(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["devices", "list"]) == 2
    assert "change into its checkout" in capsys.readouterr().err
