"""Every client once, and whether each was served: runs with the Python of a host where clients are.

    python -m clients.every_client ws://GATEWAY:8768 QUESTION.wav "the question" [AI_SERVER:8745]

prints a JSON object: by the name of each conversation what came of it, in the form that `faults` reads.
"""

from __future__ import annotations

import asyncio
import json
import struct
import sys
import wave
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from . import ai_server, main_dialect, one_recording, relay, web_page

RATE = 16_000
WAIT_S = 60
SILENCE = bytes(2 * RATE * 3 // 2)
TURN = ["processing", "response", "state_change"]
HEARD_TURN = ["processing", "transcription", "response"]
# The frames that each conversation has; what has no type is a reply of the dialect for one recording.
CONVERSATIONS = {
    "main dialect, spoken": ["connected", "ack", "state_change", *HEARD_TURN, "state_change"],
    "main dialect, text_input": ["connected", *TURN],
    "main dialect, text_query": ["connected", *TURN],
    "main dialect, goodbye": ["goodbye", "state_change"],
    "relay": ["response", "response"],
    "one recording": ["__PONG__", "", ""],
    "web page": ["connected", "ack", "state_change", *HEARD_TURN],
    "web page, ended by silence": ["connected", "ack", "state_change", *HEARD_TURN],
}
AI_SERVER_CONVERSATIONS = {
    "AI.SERVER, a line over TCP": ["text_response"],
    "AI.SERVER, an object over TCP": ["text_response"],
    "AI.SERVER, over WebSocket": ["text_response", "text_response"],
}

type Report = dict[str, Any]


async def ask_all(url: str, sound: bytes, question: str, ai_server_address: str = "") -> Report:
    """Have every client ask, one after the other, and return what each got, or the fault that ended it.

    Args:
        url: the gateway's, or the proxy's before it.
        sound: the question as it is spoken: PCM16, 16 kHz, mono.
        question: the same as text.
        ai_server_address: host and port of the gateway for clients of AI.SERVER; without it these do not ask.
    """
    asked: list[Coroutine[Any, Any, Any]] = [
        main_dialect.ask_by_voice(url, sound),
        main_dialect.ask_by_text(url, question, "text_input"),
        main_dialect.ask_by_text(url, question, "text_query"),
        main_dialect.leave(url),
        relay.ask(url, [question, question]),
        one_recording.ask(url, sound, sound),
        web_page.ask(url, sound),
        web_page.ask(url, sound + SILENCE, is_stopped=False),
    ]
    names = [*CONVERSATIONS]
    if ai_server_address:
        names += AI_SERVER_CONVERSATIONS
        asked += [
            ai_server.ask_over_tcp(f"tcp://{ai_server_address}", question),
            ai_server.ask_over_tcp(f"tcp://{ai_server_address}", question, ending=""),
            ai_server.ask_over_websocket(f"ws://{ai_server_address}", [question, question]),
        ]
    return {name: await _outcome(one) for name, one in zip(names, asked, strict=True)}


def faults(report: Report, question: str, words: Sequence[str], *, has_ai_server: bool) -> list[str]:
    """Return what is wrong with a report, a sentence for each client; nothing: all were served.

    Args:
        report: what `ask_all` returned.
        question: what must have been heard, but for punctuation and capitals.
        words: what each answer must hold, in small letters.
        has_ai_server: whether clients of AI.SERVER have asked, too.
    """
    found = []
    expected = CONVERSATIONS | (AI_SERVER_CONVERSATIONS if has_ai_server else {})
    for name, kinds in expected.items():
        got = report.get(name, {"fault": "it did not ask"})
        if "fault" in got:
            found.append(f"{name}: {got['fault']}")
        elif got["kinds"] != kinds:
            found.append(f"{name} got {got['kinds']}, not {kinds}: {got['answers']}")
        elif any(_plain(heard) != _plain(question) for heard in got["heard"]):
            found.append(f"{name} was misheard: {got['heard']}")
        elif not all(word in answer.lower() for answer in got["answers"] for word in words):
            found.append(f"{name} was answered {got['answers']}, without {', '.join(words)}")
    return found


def samples_of(path: Path) -> bytes:
    """Return a mono PCM16 WAV file's samples at 16 kHz, between whose own a straight line is taken."""
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = struct.unpack(f"<{file.getnframes()}h", file.readframes(file.getnframes()))
    resampled = []
    for index in range((len(samples) - 1) * RATE // rate):
        before, share = divmod(index * rate, RATE)
        resampled.append(samples[before] + (samples[before + 1] - samples[before]) * share // RATE)
    return struct.pack(f"<{len(resampled)}h", *resampled)


async def _outcome(conversation: Coroutine[Any, Any, Any]) -> Report:
    """Return the kinds of the frames that came, what was heard, and the answers; or what went wrong."""
    try:
        async with asyncio.timeout(WAIT_S):
            came = await conversation
    except Exception as error:  # whatever ends one client, the others are to be told of as well
        return {"fault": repr(error)}
    frames = came if isinstance(came, list) else [came]
    objects = [frame for frame in frames if isinstance(frame, dict)]
    answered = [each for each in objects if each.get("type", "") in ("", "response", "text_response")]
    return {
        "kinds": [frame.get("type", "") if isinstance(frame, dict) else frame for frame in frames],
        "heard": [each["text"] for each in objects if each.get("type") == "transcription"],
        "answers": [each.get("text", str(each)) for each in answered],
    }


def _plain(text: str) -> str:
    return "".join(filter(str.isalpha, text.lower()))


if __name__ == "__main__":
    url, sound_file, question, *address = sys.argv[1:]
    print(json.dumps(asyncio.run(ask_all(url, samples_of(Path(sound_file)), question, *address))))
