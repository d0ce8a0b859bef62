"""What a caller orders: a recording, how it is transcribed, and in which form the answer comes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from hal.protocol import SAMPLE_RATE
from hal.shared.container import identify, is_no_pcm16
from hal.shared.samples import SAMPLE_WIDTH, encoding_of, sample_rate, to_wav
from hal.speech.body import Form, decode_base64, parse_form, parse_json, text_field
from hal.speech.errors import BadAudio, Malformed, Refusal, TooLarge
from hal.speech.languages import CODES
from hal.speech.transcriber import Options, Task

AUTO = "auto"
ENGLISH_ONLY = frozenset({"en"})
RESPONSE_FORMATS = ("json", "text", "srt", "vtt", "verbose_json")
GRANULARITIES = ("word", "segment")
_CONVERTED_BYTES = 2**16  # at a time: as Python's numbers, samples take many times their bytes
_IS_MULTIPART = "multipart/form-data"
_ENGLISH_ONLY_CANNOT = "The model understands English only and cannot translate."


@dataclass(frozen=True, slots=True)
class Order:
    """A transcription to be made.

    Attributes:
        audio: the recording.
        options: how it is transcribed.
        response_format: one of RESPONSE_FORMATS.
        granularities: which times "verbose_json" tells.
        streams: whether the answer comes as events.
    """

    audio: bytes
    options: Options = field(default_factory=Options)
    response_format: str = "json"
    granularities: frozenset[str] = frozenset({"segment"})
    streams: bool = False


def from_transcribe(
    body: bytes, content_type: str, languages: Collection[str], max_audio_bytes: int
) -> Order:
    """Read the body of `POST /transcribe`: JSON with base64, or a form with the recording as it is.

    Raises:
        Refusal: something in it is missing or wrong.
    """
    if content_type.lower().startswith(_IS_MULTIPART):
        form = parse_form(body, content_type)
        task, language = _text(form, "task", "transcribe"), _text(form, "language", AUTO)
        label, rate = _text(form, "format", ""), _text(form, "sample_rate", "") or None
        audio = _recording(form, max_audio_bytes, "file", "audio")
    else:
        fields = parse_json(body)
        encoded: Any = fields.get("audio")
        if not isinstance(encoded, str):
            raise Malformed(
                '"audio" is missing: send the recording as base64 text, or as the part `file` of a form.'
            )
        task, language = text_field(fields, "task", "transcribe"), text_field(fields, "language", AUTO)
        label, rate = text_field(fields, "format", ""), fields.get("sample_rate")
        audio = decode_base64(encoded, max_audio_bytes)
    options = Options(_language(language, languages), _task(task, languages))
    return Order(_as_said(audio, label, rate), options)


def from_form(
    body: bytes,
    content_type: str,
    languages: Collection[str],
    max_audio_bytes: int,
    task: Task = "transcribe",
) -> Order:
    """Read the body of `POST /v1/audio/transcriptions` or `/translations`, as OpenAI's API defines it.

    `model` and `chunking_strategy` are accepted and change nothing: there is one model, and silence is always
    left out.

    Raises:
        Refusal: something in it is missing, wrong, or not served.
    """
    form = parse_form(body, content_type)
    audio = _recording(form, max_audio_bytes, "file")
    response_format = _text(form, "response_format", "json")
    if response_format not in RESPONSE_FORMATS:
        raise Refusal(f"response_format must be one of {', '.join(RESPONSE_FORMATS)}.")
    if _texts(form, "include"):
        raise Refusal("include is not served here: verbose_json tells how sure the model is.")
    granularities = frozenset(_texts(form, "timestamp_granularities"))
    if not granularities.issubset(GRANULARITIES):
        raise Refusal(f"timestamp_granularities must be of {' and '.join(GRANULARITIES)}.")
    if granularities and response_format != "verbose_json":
        raise Refusal("timestamp_granularities need response_format verbose_json.")
    language = _text(form, "language", AUTO) if task == "transcribe" else AUTO
    options = Options(
        language=_language(language, languages),
        task=_task(task, languages),
        words="word" in granularities,
        prompt=_text(form, "prompt", ""),
        temperature=_temperature(_text(form, "temperature", "")),
    )
    return Order(
        audio, options, response_format, granularities or frozenset({"segment"}), _truth(form, "stream")
    )


def _recording(form: Form, max_audio_bytes: int, *names: str) -> bytes:
    found = next((name for name in names if name in form), None)
    if found is None:
        raise Malformed(f"The part `{names[0]}` is missing: send the recording in it.")
    audio = form[found][-1]
    if not audio:
        raise BadAudio(f"The part `{found}` is empty.")
    if len(audio) > max_audio_bytes:
        raise TooLarge(f"The recording is larger than {max_audio_bytes} bytes.")
    return audio


def _as_said(audio: bytes, label: str, said_rate: Any) -> bytes:
    """Return samples that are not PCM16 at 16 kHz, as a caller says, as a WAV file; a container as it is.

    Raises:
        Refusal: the rate is none of speech, or the samples are not what the label says.
    """
    encoding, found = encoding_of(label), identify(audio)
    if found and (found.label or not encoding):  # samples of another kind may look like anything
        return audio  # a file knows its rate itself
    try:
        rate = sample_rate(said_rate, (encoding and encoding.rate) or SAMPLE_RATE)
    except ValueError as error:
        raise Refusal(f"{error}.") from error
    if encoding is None:
        is_plain = rate == SAMPLE_RATE or len(audio) % SAMPLE_WIDTH or is_no_pcm16(audio)
        return audio if is_plain else to_wav(audio, rate)
    if len(audio) % encoding.width:
        raise BadAudio(f"A sample of {label} has {encoding.width} bytes, and the recording ends within one.")
    pieces = range(0, len(audio), _CONVERTED_BYTES)
    return to_wav(b"".join(encoding.to_pcm16(audio[at : at + _CONVERTED_BYTES]) for at in pieces), rate)


def _texts(form: Form, name: str) -> list[str]:
    """Return the values of a part that may come several times, with brackets behind its name or without."""
    values = [value for each in (name, f"{name}[]") for value in form.get(each, [])]
    return [text for value in values if (text := value.decode("utf-8", "replace").strip())]


def _text(form: Form, name: str, default: str) -> str:
    return form.get(name, [b""])[-1].decode("utf-8", "replace").strip() or default


def _truth(form: Form, name: str) -> bool:
    match _text(form, name, "false").lower():
        case "true" | "1":
            return True
        case "false" | "0":
            return False
    raise Refusal(f"{name} must be true or false.")


def _temperature(said: str) -> float | None:
    """Read a temperature; 0 has the model choose as freely as it needs, which is what OpenAI's says of it."""
    try:
        number = float(said or 0)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise Refusal("temperature must be a number from 0 to 1.")
    return number or None


def _language(name: str, languages: Collection[str]) -> str | None:
    """Return the code of a language that the model understands; "en-US" and "English" are "en"."""
    name = name.strip().lower().replace("_", "-")
    code = CODES.get(name, name.partition("-")[0])
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
            raise Refusal(_ENGLISH_ONLY_CANNOT)
    raise Refusal('task must be "transcribe" or "translate".')
