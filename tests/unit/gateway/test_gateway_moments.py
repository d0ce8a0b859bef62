"""When a question was asked, as the gateway tells the listener: the day of "today" depends on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

ELSEWHERE = timezone(timedelta(hours=-5))


def told(listener):
    return datetime.fromisoformat(listener.requests[-1]["timestamp"])


@pytest.fixture
def a_minute_ago():
    return (datetime.now(ELSEWHERE) - timedelta(minutes=1)).replace(microsecond=0)


async def test_a_typed_question_is_of_its_clients_time(start_gateway, open_client, listener, a_minute_ago):
    client = await open_client(await start_gateway())
    await client.send("text_input", text="what is on today", timestamp=a_minute_ago.isoformat())
    await client.receive_until("response")
    assert told(listener) == a_minute_ago


async def test_a_spoken_question_is_of_the_time_at_which_it_ended(
    start_gateway, open_client, listener, a_minute_ago, voice
):
    client = await open_client(await start_gateway())
    await client.send("wake_word_detected")
    await client.socket.send(voice(0.5))
    await client.send("speech_ended", timestamp=a_minute_ago.isoformat())
    await client.receive_until("response")
    assert told(listener) == a_minute_ago


@pytest.mark.parametrize("said", ["1970-01-01T00:00:00Z", "2026-03-11T09:00:00", "noon", "", 7, None])
async def test_a_client_with_a_wrong_clock_or_none_asks_now(start_gateway, open_client, listener, said):
    before = datetime.now(UTC).replace(microsecond=0)
    client = await open_client(await start_gateway())
    await client.send("text_input", text="what is on today", timestamp=said)
    await client.receive_until("response")
    assert before <= told(listener) <= datetime.now(UTC)
