"""What a caller orders: a recording, its language and task, and in which form the answer comes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from hal.speech.body import Form, decode_base64, parse_form, parse_json, text_field
from hal.speech.errors import BadAudio, Malformed, Refusal, TooLarge
from hal.speech.transcriber import Task

AUTO = "auto"
ENGLISH_ONLY = frozenset({"en"})
RESPONSE_FORMATS = ("json", "text", "verbose_json")


@dataclass(frozen=True, slots=True)
class Order:
    """A transcription to be made; `language` None has it recognised."""

    audio: bytes
    language: str | None
    task: Task
    response_format: str = "json"


def from_json(body: bytes, languages: Collection[str], max_audio_bytes: int) -> Order:
    """Read the body of `POST /transcribe`.

    Raises:
        Refusal: something in it is missing or wrong.
    """
    fields = parse_json(body)
    audio: Any = fields.get("audio")
    if not isinstance(audio, str):
        raise Malformed('"audio" is missing: send the recording as base64 text.')
    task = _task(text_field(fields, "task", "transcribe"), languages)
    language = _language(text_field(fields, "language", AUTO), languages)
    return Order(decode_base64(audio, max_audio_bytes), language, task)


def from_form(body: bytes, content_type: str, languages: Collection[str], max_audio_bytes: int) -> Order:
    """Read the body of `POST /v1/audio/transcriptions`, as OpenAI's API defines it.

    `model`, `prompt` and `temperature` are accepted and change nothing.

    Raises:
        Refusal: something in it is missing or wrong.
    """
    form = parse_form(body, content_type)
    audio = form.get("file")
    if audio is None:
        raise Malformed("The part `file` is missing: send the recording in it.")
    if not audio:
        raise BadAudio("The part `file` is empty.")
    if len(audio) > max_audio_bytes:
        raise TooLarge(f"The recording is larger than {max_audio_bytes} bytes.")
    response_format = _text(form, "response_format", "json")
    if response_format not in RESPONSE_FORMATS:
        raise Refusal(f"response_format must be one of {', '.join(RESPONSE_FORMATS)}.")
    return Order(audio, _language(_text(form, "language", AUTO), languages), "transcribe", response_format)


def _text(form: Form, name: str, default: str) -> str:
    return form.get(name, b"").decode("utf-8", "replace").strip() or default


def _language(name: str, languages: Collection[str]) -> str | None:
    """Return the code of a language that the model understands; "en-US" is "en"."""
    code = name.strip().lower().replace("_", "-").partition("-")[0]
    if code in ("", AUTO):
        return None
    if code in languages:
        return code
    if ENGLISH_ONLY.issuperset(languages):
        raise Refusal('The model understands English only: send language "en", or load a multilingual model.')
    raise Refusal('The model does not know that language: send a code such as "en" or "es", or "auto".')


def _task(name: str, languages: Collection[str]) -> Task:
    match name:
        case "transcribe":
            return "transcribe"
        case "translate" if not ENGLISH_ONLY.issuperset(languages):
            return "translate"
        case "translate":
            raise Refusal("The model understands English only and cannot translate.")
    raise Refusal('task must be "transcribe" or "translate".')
