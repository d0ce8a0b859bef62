"""How the service answers: transcripts in each form, refusals, and what is counted of them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from hal.speech.errors import Refusal
from hal.speech.metrics import SpeechMetrics
from hal.speech.transcriber import Transcript

log = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499  # nginx's number for a client that has left; nobody reads it

type Endpoint = Callable[[Request], Awaitable[Response]]


def transcript_reply(transcript: Transcript, processing_time_s: float) -> dict[str, Any]:
    """Return the answer of `POST /transcribe`."""
    return {
        "text": transcript.text,
        "language": transcript.language,
        "language_probability": round(transcript.language_probability, 4),
        "duration": round(transcript.duration_s, 3),
        "processing_time": round(processing_time_s, 3),
        "status": "success",
    }


def openai_transcript(transcript: Transcript, response_format: str) -> Response:
    """Return a transcript as OpenAI's API does: "json", "text" or "verbose_json"."""
    if response_format == "text":
        return PlainTextResponse(transcript.text + "\n")
    if response_format == "json":
        return JSONResponse({"text": transcript.text})
    segments = [
        {
            "id": number,
            "start": round(segment.start, 3),
            "end": round(segment.end, 3),
            "text": segment.text,
            "avg_logprob": segment.average_log_probability,
            "no_speech_prob": segment.no_speech_probability,
        }
        for number, segment in enumerate(transcript.segments)
    ]
    return JSONResponse(
        {
            "task": "transcribe",
            "language": transcript.language,
            "duration": round(transcript.duration_s, 3),
            "text": transcript.text,
            "segments": segments,
        }
    )


def refusal_reply(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error in the two shapes that callers read: FastAPI's `detail` and OpenAI's `error`."""
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    return JSONResponse(
        {"detail": detail, "error": {"message": detail, "type": kind}}, status, headers=headers
    )


def counted(metrics: SpeechMetrics, name: str, endpoint: Endpoint) -> Endpoint:
    """Turn an endpoint's refusals into answers, and count what it answers."""

    async def serve(request: Request) -> Response:
        try:
            response = await endpoint(request)
        except Refusal as refusal:
            log.info("%s refused: %d %s", name, refusal.status, refusal)
            headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else None
            response = refusal_reply(refusal.status, str(refusal), headers)
        except ClientDisconnect:
            log.info("%s: the client has left", name)
            response = Response(status_code=CLIENT_CLOSED_REQUEST)
        except Exception:
            metrics.requests.labels(name, HTTPStatus.INTERNAL_SERVER_ERROR.value).inc()
            raise
        metrics.requests.labels(name, response.status_code).inc()
        return response

    return serve


async def _http_exception(_: Request, error: Exception) -> Response:
    """Answer for a path or method that does not exist."""
    if not isinstance(error, HTTPException):
        raise error
    return refusal_reply(error.status_code, error.detail, error.headers)


async def _failure(_: Request, __: Exception) -> Response:
    """Answer for a fault of ours; the log has its traceback."""
    return refusal_reply(HTTPStatus.INTERNAL_SERVER_ERROR, "The service failed; its log says why.")


EXCEPTION_HANDLERS = {HTTPException: _http_exception, Exception: _failure}
