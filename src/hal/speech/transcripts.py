"""A transcript in each form that callers ask for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from hal.speech.order import Order
from hal.speech.transcriber import Segment, Transcript


def transcript_reply(transcript: Transcript, processing_time_s: float) -> dict[str, Any]:
    """Return the answer of `POST /transcribe`; the model's own numbers are null where nothing was heard."""
    return {
        "text": transcript.text,
        "language": transcript.language,
        "language_probability": round(transcript.language_probability, 4),
        "confidence": round(transcript.confidence, 4),
        "avg_logprob": _rounded(transcript.average_log_probability),
        "no_speech_prob": _rounded(transcript.no_speech_probability),
        "compression_ratio": _rounded(transcript.compression_ratio),
        "duration": round(transcript.duration_s, 3),
        "processing_time": round(processing_time_s, 3),
        "status": "success",
    }


def openai_transcript(transcript: Transcript, order: Order) -> Response:
    """Return a transcript as OpenAI's API does, in the form that was ordered."""
    if order.streams:
        return StreamingResponse(_events(transcript), media_type="text/event-stream")
    match order.response_format:
        case "text":
            return PlainTextResponse(transcript.text + "\n")
        case "srt":
            return PlainTextResponse(_subtitles(transcript, ","), media_type="application/x-subrip")
        case "vtt":
            return PlainTextResponse("WEBVTT\n\n" + _subtitles(transcript, "."), media_type="text/vtt")
        case "json":
            return JSONResponse({"text": transcript.text})
    return JSONResponse(_verbose(transcript, order))


def _verbose(transcript: Transcript, order: Order) -> dict[str, Any]:
    reply: dict[str, Any] = {
        "task": order.options.task,
        "language": transcript.language,
        "duration": round(transcript.duration_s, 3),
        "text": transcript.text,
    }
    if "word" in order.granularities:
        reply["words"] = [
            {"word": word.word.strip(), "start": round(word.start, 3), "end": round(word.end, 3)}
            for segment in transcript.segments
            for word in segment.words
        ]
    if "segment" in order.granularities:
        reply["segments"] = [_segment(*numbered) for numbered in enumerate(transcript.segments)]
    return reply


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    return {
        "id": number,
        "seek": 0,
        "start": round(segment.start, 3),
        "end": round(segment.end, 3),
        "text": segment.text,
        "tokens": segment.tokens,
        "temperature": segment.temperature,
        "avg_logprob": _rounded(segment.average_log_probability),
        "compression_ratio": _rounded(segment.compression_ratio),
        "no_speech_prob": _rounded(segment.no_speech_probability),
    }


def _events(transcript: Transcript) -> Iterator[str]:
    """Yield server-sent events: a segment each, then the whole."""
    said = ""
    for segment in transcript.segments:
        if text := segment.text.strip():
            delta = f" {text}" if said else text
            said += delta
            yield _event({"type": "transcript.text.delta", "delta": delta})
    yield _event({"type": "transcript.text.done", "text": said})
    yield "data: [DONE]\n\n"


def _event(content: dict[str, Any]) -> str:
    return f"data: {json.dumps(content)}\n\n"


def _subtitles(transcript: Transcript, point: str) -> str:
    """Return numbered subtitles; `point` stands before the milliseconds."""
    blocks = []
    for number, segment in enumerate(transcript.segments, 1):
        span = f"{_moment(segment.start, point)} --> {_moment(segment.end, point)}"
        blocks.append(f"{number}\n{span}\n{segment.text.strip()}\n\n")
    return "".join(blocks)


def _moment(seconds: float, point: str) -> str:
    whole, milliseconds = divmod(round(seconds * 1_000), 1_000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}{point}{milliseconds:03}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 4)
