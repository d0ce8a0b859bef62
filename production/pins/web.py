"""Asks public sources about releases, within limits of time and size."""

from __future__ import annotations

import json
import queue
import re
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from production.pins.finding import UnknownError

SECONDS = 30.0
MOST_BYTES = 32 * 2**20


class Web:
    """The sources, as HTTPS reaches them. One that could not be reached is not asked again.

    Args:
        stand_ins: for tests: by `https://HOST`, the address of what is asked in its place.
        seconds: how long an answer may take as a whole.
        most_bytes: how long it may be.
    """

    def __init__(
        self,
        stand_ins: Mapping[str, str] | None = None,
        seconds: float = SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._stand_ins = stand_ins or {}
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._failed: dict[str, str] = {}

    def read(self, url: str, *, accept: str = "*/*", moved: bool = False) -> bytes:
        """Return what stands at an address.

        Args:
            url: the address, which begins with https://.
            accept: kind of the answer.
            moved: follow redirects, for what is compared with a published checksum afterwards.

        Raises:
            UnknownError: there is no whole answer in time; the text names the host and says why.
        """
        host = urlsplit(url).hostname or url
        if not url.startswith("https://"):
            raise UnknownError(
                f"{host} is asked through https:// alone, and the address has another protocol."
            )
        if host in self._failed:
            raise UnknownError(self._failed[host])
        answers: queue.Queue[bytes | Exception] = queue.Queue()

        def ask() -> None:
            try:
                answers.put(self._ask(url, accept, moved))
            except Exception as error:  # raised again below, in the thread that waits
                answers.put(error)

        # httpx has no limit for a whole answer, and the name server's is none of its own.
        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answers.get(timeout=self._seconds)
        except queue.Empty:
            answer = _Unreachable(f"no whole answer within {self._seconds:g} s")
        if isinstance(answer, bytes):
            return answer
        if isinstance(answer, (httpx.HTTPError, OSError, _Unreachable)):
            why = re.sub(r"^\[Errno -?\d+\] ", "", str(answer)) or type(answer).__name__
            self._failed[host] = f"{host} cannot be reached: {why}."
            raise UnknownError(self._failed[host]) from None
        if isinstance(answer, _RateLimit):
            self._failed[host] = str(answer)
        raise answer

    def _ask(self, url: str, accept: str, moved: bool) -> bytes:
        host = urlsplit(url).hostname
        address = self._stand_ins.get(f"https://{host}", f"https://{host}") + url.removeprefix(
            f"https://{host}"
        )
        headers = {"Accept": accept, "User-Agent": "hal-upgrade-pins"}
        timeout = min(self._seconds, 10.0)
        with httpx.stream("GET", address, headers=headers, timeout=timeout, follow_redirects=moved) as answer:
            if answer.status_code != httpx.codes.OK:
                raise _refusal(host or "", answer)
            content = b""
            for chunk in answer.iter_bytes():
                content += chunk
                if len(content) > self._most_bytes:
                    raise UnknownError(f"{host} answers with more than {self._most_bytes} bytes.")
            return content

    def json(self, url: str, accept: str = "application/json") -> Any:
        """Return what JSON stands at an address. Raises UnknownError as `read` does, or if it is no JSON."""
        try:
            return json.loads(self.read(url, accept=accept))
        except (ValueError, RecursionError):
            raise UnknownError(f"{urlsplit(url).hostname} answers with something that is no JSON.") from None


class _Unreachable(Exception):
    """A source did not answer in time."""


class _RateLimit(UnknownError):
    """A source takes no more questions for now."""


def _refusal(host: str, answer: httpx.Response) -> UnknownError:
    """Return what an answer means that has no content."""
    code = answer.status_code
    if code == httpx.codes.TOO_MANY_REQUESTS or (
        code == httpx.codes.FORBIDDEN and answer.headers.get("x-ratelimit-remaining") == "0"
    ):
        reset = answer.headers.get("x-ratelimit-reset", "")
        until = (
            time.strftime(" before %H:%M", time.localtime(int(reset)))
            if reset.isdecimal() and len(reset) < 12
            else ""
        )
        return _RateLimit(f"{host} takes no more questions from this address{until} ({code}).")
    if answer.is_redirect:
        return UnknownError(
            f"{host} names another address instead of an answer ({code}), which is not followed."
        )
    return UnknownError(f"{host} answers with {code}.")
