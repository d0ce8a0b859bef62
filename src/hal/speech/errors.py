"""Refusals: what a caller is told, and with which HTTP status."""

from __future__ import annotations

from http import HTTPStatus


class Refusal(Exception):
    """A request that is not served; the text says why, and what to do, in one sentence.

    Attributes:
        status: the HTTP status.
        retry_after_s: seconds after which it is worth trying again; 0 when it is not.
    """

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    retry_after_s = 0


class Malformed(Refusal):
    """The request cannot be read at all."""

    status = HTTPStatus.BAD_REQUEST


class TooLarge(Refusal):
    """The request or its recording is larger than the service accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class TooSlow(Refusal):
    """The request's body did not arrive in time."""

    status = HTTPStatus.REQUEST_TIMEOUT


class Unavailable(Refusal):
    """The service cannot do this now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_s = 5


class Busy(Unavailable):
    """Every worker is busy and the queue is full."""

    retry_after_s = 1


class BadAudio(Refusal):
    """The recording is no recording, or not one that can be decoded."""
