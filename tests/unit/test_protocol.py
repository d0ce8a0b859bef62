"""The shapes of messages, and what is made of bad ones."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime

import pytest

from hal import protocol
from hal.protocol import ListenerReply, ListenerRequest, ProtocolError, State, Status


@pytest.mark.parametrize(
    "raw", ["", "{", "[]", "5", "null", '"text"', b"\xff\xfe\xfd", "[" * 100_000, '{"n":' + "9" * 5_000 + "}"]
)
def test_what_is_not_a_json_object(raw):
    with pytest.raises(ProtocolError, match=r"^Invalid JSON$"):
        protocol.decode_object(raw)


@pytest.mark.parametrize(
    "raw",
    [
        '{"x":[' + "[]," * 1_000_000 + "[]]}",
        '{"x":[' + "{}," * 1_000_000 + "{}]}",
        '{"x":[' + '"ab",' * 600_000 + '"ab"]}',
        "{" + ",".join(f'"{number:x}":1' for number in range(300_000)) + "}",
        '{"x":' + "[" * 1_500_000 + "]" * 1_500_000 + "}",
    ],
    ids=["lists", "objects", "texts", "fields", "nested"],
)
def test_a_frame_of_millions_of_values_takes_no_memory(raw):
    assert len(raw) < 3 * 2**20 + 100
    for message in (raw, raw.encode()):
        tracemalloc.start()
        try:
            with pytest.raises(ProtocolError, match=r"^Invalid JSON$"):
                protocol.decode_object(message)
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()


def test_a_minute_of_samples_is_one_frame():
    samples = [number % 200 - 100 for number in range(700_000)]
    assert protocol.decode_object(json.dumps({"audio": samples}))["audio"] == samples


def test_response_carries_every_name_that_clients_read():
    frame = protocol.response("t", intent="GENERAL", action="a")
    assert frame["text"] == frame["response_text"] == "t"
    assert frame["action"] == frame["action_taken"] == "a"
    assert (frame["intent"], frame["status"]) == ("GENERAL", "success")
    assert frame["timestamp"] and "is_repeat" not in frame
    assert protocol.response("t", intent="", action="", is_repeat=True)["is_repeat"] is True


def test_state_change_says_for_how_long():
    frame = protocol.state_change(State.ACTIVE_LISTENING, countdown_ms=5)
    assert (frame["new_state"], frame["countdown_ms"]) == ("active_listening", 5)
    assert "timeout_ms" not in frame


def test_lone_surrogates_become_encodable():
    assert protocol.clean_text(" a\ud800 ").encode() == b"a?"


@pytest.mark.parametrize(
    ("value", "shown"), [("x" * 100, "x" * 64), ([1], "(not a string)"), (None, "(not a string)")]
)
def test_quoting_a_peer(value, shown):
    assert protocol.quoted(value) == shown


def test_request_round_trip():
    asked_at = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
    request = ListenerRequest("q", "s", "health_check", [{"question": "a"}], asked_at)
    assert request.encode().endswith(b"\n")
    assert ListenerRequest.decode(request.encode()) == request


@pytest.mark.parametrize("said", ["2026-03-11T09:00:00", "2026-03-11T09:00:00+01:00"])
def test_a_request_names_the_moment_it_was_asked(said):
    asked_at = datetime.fromisoformat(said)
    assert ListenerRequest.decode(ListenerRequest("q", asked_at=asked_at).encode()).asked_at == asked_at


def test_a_request_without_a_moment_is_of_now():
    before = datetime.now(UTC).replace(microsecond=0)
    asked_at = ListenerRequest.decode(ListenerRequest("q").encode()).asked_at
    assert asked_at is not None and before <= asked_at <= datetime.now(UTC)


@pytest.mark.parametrize(
    "timestamp",
    [
        *(
            "noon",
            "",
            7,
            None,
            [],
            "2026-13-01T00:00:00Z",
            "2026-03-11",
            "20260311T090000",
            "2026-W11-3T09:00",
        ),
        *("2026-03-11T24:00:00", "2026-03-11T25:00:00", "2026-03-11T09", "2026-03-11t09:00:00"),
    ],
)
def test_what_is_no_time_leaves_the_listener_its_own_clock(timestamp):
    raw = json.dumps({"text": "q", "timestamp": timestamp}).encode()
    assert ListenerRequest.decode(raw).asked_at is None


@pytest.mark.parametrize(
    ("said", "believed"),
    [
        ("2026-03-11T10:00:00+01:00", True),
        ("2026-03-11T09:04:59Z", True),
        ("2026-03-11T09:06:00Z", False),
        ("1970-01-01T00:00:00Z", False),
        ("2026-03-11T09:00:00", False),  # whose nine o'clock?
    ],
)
def test_a_callers_time_counts_if_it_has_a_zone_and_the_clocks_agree(said, believed):
    now = datetime(2026, 3, 11, 9, 0, 1, tzinfo=UTC)
    moment = datetime.fromisoformat(said)
    assert protocol.agreed_moment(moment, now) == (moment if believed else now)


def test_request_from_old_callers():
    request = ListenerRequest.decode(b'{"text":"q","session_id":7,"client_type":[[]]}')
    assert (request.transcription, request.session_id, request.client_type) == ("q", "7", "")


@pytest.mark.parametrize("raw", [b'{"text":5}', b'{"text":"q","context":5}', b'{"text":"q","context":[5]}'])
def test_requests_with_wrong_types(raw):
    with pytest.raises(ProtocolError, match="must be"):
        ListenerRequest.decode(raw)


@pytest.mark.parametrize(
    "reply",
    [
        ListenerReply("t", "MEDICATION", "list"),
        ListenerReply("", status=Status.DELEGATE, prompt="p", context=[{"question": "a", "answer": "b"}]),
    ],
)
def test_reply_round_trip(reply):
    assert ListenerReply.decode(reply.encode()) == reply


def test_reply_is_read_with_what_it_has():
    reply = ListenerReply.decode(
        json.dumps({"response_text": "t", "context": ["x", {}], "intent": None}).encode()
    )
    assert (reply.intent, reply.status, reply.context) == ("GENERAL", "success", [{}])


@pytest.mark.parametrize("raw", [b"{}", b'{"response_text":5}', b'{"response_text":""}', b"rubbish"])
def test_replies_that_say_nothing(raw):
    with pytest.raises(ProtocolError):
        ListenerReply.decode(raw)


def test_a_request_has_no_more_values_than_every_listener_reads():
    def request(turns: int) -> bytes:
        return json.dumps({"text": "q", "context": [{"question": "a", "answer": "b"}] * turns}).encode()

    assert len(ListenerRequest.decode(request(600)).context) == 600
    with pytest.raises(ProtocolError, match="more than 2000 values"):
        ListenerRequest.decode(request(700))


def test_a_request_is_no_deeper_than_every_listener_reads():
    deep = '{"text": "q", "context": [], "more": ' + "[" * 39 + "]" * 39 + "}"
    assert ListenerRequest.decode(deep.encode()).transcription == "q"
    with pytest.raises(ProtocolError, match="Invalid JSON"):
        ListenerRequest.decode(deep.replace("[]", "[[]]").encode())
