"""How the service says no, and what is counted of its answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from hal.speech.errors import Refusal
from hal.speech.metrics import SpeechMetrics

log = logging.getLogger(__name__)

CLIENT_CLOSED_REQUEST = 499  # nginx's number for a client that has left; nobody reads it

type Endpoint = Callable[[Request], Awaitable[Response]]


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
