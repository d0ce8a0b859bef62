"""Settings from the environment: types, defaults, and sentences for mistakes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from hal.shared.settings import SettingsError, load, parse, setup_logging


@dataclass(frozen=True)
class Example:
    name: str
    port: int = 80
    ratio: float = 0.5
    is_on: bool = False
    urls: tuple[str, ...] = ("x",)
    hosts: list[str] = field(default_factory=list)
    file: Path | None = None

    def __post_init__(self):
        if self.port == 13:
            raise ValueError("port must not be 13")


def test_every_type():
    environ = {
        "X_NAME": "n", "X_PORT": "8", "X_RATIO": "0.25", "X_IS_ON": "Yes", "X_URLS": "a, b,", "X_HOSTS": "c",
        "X_FILE": "/f", "OTHER": "1",
    }  # fmt: skip
    assert parse(Example, "X_", environ) == Example("n", 8, 0.25, True, ("a", "b"), ["c"], Path("/f"))


def test_defaults():
    assert parse(Example, "X_", {"X_NAME": "n"}) == Example("n")


def test_empty_means_the_default_for_a_number_and_nothing_for_text_lists_and_paths():
    environ = {"X_NAME": "", "X_PORT": "", "X_URLS": "", "X_FILE": ""}
    assert parse(Example, "X_", environ) == Example("", urls=())


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "^X_NAME must be set$"),
        ({"X_NAME": "n", "X_PORT": "eighty"}, "^X_PORT must be a whole number, not 'eighty'$"),
        ({"X_NAME": "n", "X_RATIO": "half"}, "^X_RATIO must be a number"),
        ({"X_NAME": "n", "X_IS_ON": "maybe"}, "^X_IS_ON must be true or false"),
        ({"X_NAME": "n", "X_PROT": "1"}, "^X_PROT is not a setting; known are X_FILE, "),
        ({"X_NAME": "n", "X_PORT": "13"}, "port must not be 13$"),
    ],
)
def test_mistakes(environ, message):
    with pytest.raises(SettingsError, match=message):
        parse(Example, "X_", environ)


def test_ignored_names():
    assert parse(Example, "X_", {"X_NAME": "n", "X_FOREIGN_URL": "u"}, ignore=["X_FOREIGN_*"]) == Example("n")


def test_load_ends_the_program_with_one_sentence(capsys):
    with pytest.raises(SystemExit) as caught:
        load(Example, "X_", {})
    assert caught.value.code == 2
    assert capsys.readouterr().err == "X_NAME must be set\n"


def test_an_event_is_one_line_with_its_traceback(capsys):
    setup_logging()
    try:
        raise ValueError("two\nlines")
    except ValueError:
        logging.getLogger("hal.test").exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "ERROR hal.test: failed | Traceback" in lines[0]
