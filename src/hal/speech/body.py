"""Reading requests: bodies of bounded size and time, JSON and multipart forms."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import FormParser, parse_options_header
from starlette.requests import Request

from hal.shared import samples
from hal.speech.errors import BadAudio, Malformed, TooLarge, TooSlow

MAX_PARTS = 32
MAX_JSON_VALUES = 10_000  # a list takes twenty times its bytes, and base64 is one value
STALL_S = 5.0  # without a byte
OVERHEAD_BYTES = 64 * 1024  # what a request may carry beside its audio

type Form = dict[str, list[bytes]]


def base64_size(size: int) -> int:
    """Return how many bytes a request with `size` bytes of audio in base64 may have."""
    return size * 4 // 3 + OVERHEAD_BYTES


async def read_body(request: Request, limit: int, timeout_s: float) -> bytes:
    """Read the whole body, giving up as soon as it is too large or too slow.

    Raises:
        TooLarge: it has, or announces, more than `limit` bytes.
        TooSlow: it was not complete within `timeout_s` seconds, or nothing came for STALL_S.
        ClientDisconnect: the client has left.
    """
    too_large = TooLarge(f"The request is larger than {limit} bytes.")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            chunks = request.stream()
            while True:
                async with asyncio.timeout(STALL_S):
                    chunk = await anext(chunks, None)
                if chunk is None:
                    break
                body += chunk
                if len(body) > limit:
                    raise too_large
    except TimeoutError:
        raise TooSlow(
            f"The request was not complete after {timeout_s:g} s, or nothing came for {STALL_S:g} s."
        ) from None
    return bytes(body)


def parse_json(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        Malformed: it is none, or has more values than any request needs.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_JSON_VALUES:
        raise Malformed(
            f"The body has more than {MAX_JSON_VALUES} values: send the recording as base64 text."
        )
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Malformed("The body is not valid JSON.") from error
    if not isinstance(value, dict):
        raise Malformed("The body must be a JSON object.")
    return value


def text_field(fields: dict[str, Any], name: str, default: str) -> str:
    """Return a text of a JSON object; null counts as missing.

    Raises:
        Malformed: it is something else.
    """
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise Malformed(f'"{name}" must be a text.')
    return value


def decode_base64(text: str, limit: int) -> bytes:
    """Return the audio that `text` encodes, as `hal.shared.samples.decode_base64` reads it.

    Raises:
        BadAudio: it is not base64, or empty.
        TooLarge: it has more than `limit` bytes.
    """
    try:
        audio = samples.decode_base64(text)
    except ValueError as error:
        raise BadAudio('"audio" is not valid base64.') from error
    if not audio:
        raise BadAudio('"audio" is empty.')
    if len(audio) > limit:
        raise TooLarge(f"The recording is larger than {limit} bytes.")
    return audio


def parse_form(body: bytes, content_type: str) -> Form:
    """Read a multipart form: the bytes of each part by its name, in order.

    Raises:
        Malformed: it is not multipart/form-data, damaged, or has too many parts.
    """
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Malformed("Send multipart/form-data with the recording as its part `file`.")
    form: Form = {}
    count = 0

    def add(name: bytes | None, value: bytes) -> None:
        nonlocal count
        count += 1
        if count > MAX_PARTS:
            raise Malformed(f"The form has more than {MAX_PARTS} parts.")
        form.setdefault((name or b"").decode("utf-8", "replace"), []).append(value)

    def add_file(part: Any) -> None:
        part.file_object.seek(0)
        add(part.field_name, part.file_object.read())
        part.close()

    ended = False

    def end() -> None:
        nonlocal ended
        ended = True

    try:
        parser = FormParser(
            kind.decode(),
            lambda field: add(field.field_name, field.value or b""),
            add_file,
            on_end=end,
            boundary=options[b"boundary"],
            config={"MAX_MEMORY_FILE_SIZE": len(body) + 1},  # recordings are private: none on a disk
        )
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError) as error:
        raise Malformed("The multipart form is damaged.") from error
    if not ended:
        raise Malformed("The multipart form is cut off: its closing boundary is missing.")
    return form
