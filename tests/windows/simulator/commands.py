"""What commands and scripts answer: each pattern is matched with the whole command line, or the script."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from simulator.machine import Machine

Answerer = Callable[[Machine, re.Match[str]], dict[str, Any]]
ANSWERS: list[tuple[re.Pattern[str], Answerer]] = []


def answers(pattern: str) -> Callable[[Answerer], Answerer]:
    """Register a function as the answer to the commands that hold a pattern.

    Args:
        pattern: A regular expression, in which case does not count and a dot is any character.

    Returns:
        What registers the function. It is given the host and the match, and returns what differs from the
        module's usual result: for a command stdout, rc and changed; for a script result, output and changed.
    """

    def register(answerer: Answerer) -> Answerer:
        ANSWERS.append((re.compile(pattern, re.IGNORECASE | re.DOTALL), answerer))
        return answerer

    return register


def interpret(machine: Machine, text: str) -> dict[str, Any] | None:
    """Answer a command or a script, or return nothing when no pattern is in it."""
    for pattern, answerer in ANSWERS:
        if match := pattern.search(text):
            return answerer(machine, match)
    return None


@answers(r"^(?P<python>\S+python\.exe) .*hal_checks\.pyz$")
def health_checks(machine: Machine, match: re.Match[str]) -> dict[str, Any]:
    """Answer every check of the order with success, if there is a Python to run them."""
    if not machine.exists(match["python"]):
        return {"rc": 2, "stderr": f"{match['python']} is not there"}
    order = json.loads(machine.stdin)
    results = [{**check, "origin": order["origin"], "ok": True} for check in order["checks"]]
    return {"stdout": json.dumps({"results": results, "ok": True})}
