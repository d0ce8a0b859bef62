"""Speech to text and text to speech."""

from __future__ import annotations

from ansible.module_utils.hal_checks.http import answer, metrics
from ansible.module_utils.hal_checks.result import CheckFailed, Found, Measure
from ansible.module_utils.hal_checks.target import Target
from ansible.module_utils.hal_checks.websocket import decode

SHORTEST_WAV_BYTES = 4000
IN_PROGRESS = "hal_speech_requests_in_progress"


def speech(target: Target) -> Found:
    """Check that the model is loaded and, where its sound is given, that a sentence is understood."""
    health = decode(answer(target, "GET", "/health"))
    if target.gpu not in ("", "none") and health.get("fallback"):
        raise CheckFailed(
            f"the processor computes, though there is a GPU: {health['fallback']}",
            f"On {target.host}: `nvidia-smi` says whether the driver works; after an upgrade of the driver "
            "restart the host, otherwise run site.yml; network_speech_device: cpu does without the GPU",
        )
    message = f"{health.get('model')} on {health.get('device')}"
    details = {key: health.get(key) for key in ("model", "device")}
    # Asked before the check itself is one of the requests.
    waiting = metrics(target).get(IN_PROGRESS) if "queue" in target.limits else None
    if target.audio:
        heard = decode(answer(target, "POST", "/transcribe", {"audio": target.audio, "language": "en"}))
        text = str(heard.get("text")).strip()
        target.require_words(text)
        message = f"heard {text!r} with {message}"
        details |= {"heard": text, "processing_time": heard.get("processing_time")}
    return Found(message, measures=[Measure("queue", waiting, target.where)], details=details)


def tts(target: Target) -> Found:
    """Check that a word is spoken."""
    sound = answer(target, "POST", "/synthesize", {"text": "hello"})
    if not sound.startswith(b"RIFF") or len(sound) < SHORTEST_WAV_BYTES:
        raise CheckFailed(f"what was spoken is no sound but {sound[:40]!r}")
    return Found(f"spoke, {len(sound)} bytes", details={"bytes": len(sound)})
