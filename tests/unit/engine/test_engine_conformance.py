"""The exchanges of tests/conformance/listener.yml, over a socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

EXCHANGES = yaml.safe_load((Path(__file__).parents[2] / "conformance" / "listener.yml").read_text())[
    "exchanges"
]


@pytest.mark.parametrize("exchange", EXCHANGES, ids=[each["ask"] for each in EXCHANGES])
async def test_exchange(caller: Any, exchange: dict[str, Any]) -> None:
    context = []
    for question in exchange.get("after", []):
        reply = await caller.ask(question, context)
        context.append({"question": question, "answer": reply["response_text"], "intent": reply["intent"]})
    reply = await caller.ask(exchange["ask"], context)
    said = reply["response_text"]
    named = (reply["intent"], reply["action_taken"], reply["status"])
    assert named == (exchange["intent"], exchange["action"], exchange.get("status", "success")), said
    assert [fact for fact in exchange.get("facts", []) if fact.lower() not in said.lower()] == [], said
    assert [wrong for wrong in exchange.get("without", []) if wrong.lower() in said.lower()] == [], said
    if reply["status"] == "delegate":
        assert exchange["ask"] in reply["prompt"]
        assert reply["context"] == context


def test_covers_every_intent() -> None:
    intents = {each["intent"] for each in EXCHANGES}
    assert len(EXCHANGES) >= 60
    assert intents == {
        "MEDICATION", "APPOINTMENT", "ALLERGY", "HEALTH_DATA", "TRANSACTION", "PASSWORD", "GENERAL",
    }  # fmt: skip
