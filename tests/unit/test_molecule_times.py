"""Which scenarios still run when little time is left."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from tests import molecule


@pytest.fixture
def results(monkeypatch: pytest.MonkeyPatch) -> Callable[..., molecule.Results]:
    """Run scenarios that take 100 s each, so many seconds before the end; the named ones fail at first."""

    def run(left_s: float, *names: str, fail: tuple[str, ...] = ()) -> molecule.Results:
        failing = list(fail)

        def run_one(scenario: str) -> tuple[int, float]:
            monkeypatch.setattr(molecule, "END", molecule.END - 100)
            if scenario in failing:
                failing.remove(scenario)
                return 1, 100.0
            return 0, 100.0

        monkeypatch.setattr(molecule, "FIRST_TAKES_S", 100.0)
        monkeypatch.setattr(molecule, "END", time.time() + left_s + 5)
        monkeypatch.setattr(molecule, "run", run_one)
        monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: "")
        told = molecule.Results()
        told.run_all(names, 1)
        if told.failed:
            told.run_again()
        return told

    return run


def test_those_for_which_there_is_no_time_are_left_out(results):
    told = results(250, "base", "haproxy", "ollama")
    assert (told.passed, told.failed, told.left_out) == (["base", "haproxy"], [], ["ollama"])


def test_time_is_kept_for_those_that_failed_to_run_once_more(results):
    told = results(250, "base", "haproxy", "ollama", fail=("base",))
    assert (told.passed, told.failed) == (["base"], [])
    assert told.left_out == ["haproxy", "ollama"]


def test_one_that_fails_twice_has_failed(results):
    told = results(1000, "base", "haproxy", fail=("base", "base"))
    assert (told.passed, told.failed, told.left_out) == (["haproxy"], ["base"], [])
