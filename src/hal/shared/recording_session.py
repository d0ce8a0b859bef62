"""The dialect of clients that send one recording and wait for one reply, at a path of its own.

The client sends PCM16 (16 kHz, mono) or a container in binary frames, then the text `__END__`, and gets one
JSON object: `text`, `intent` and `action`, or `error` with a sentence for the person. `__PING__` is answered
by `__PONG__`. There is no greeting, and no frame that was not asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from hal.protocol import SAMPLE_RATE, Frame, Status
from hal.shared import sentences
from hal.shared.pipeline import Pipeline
from hal.shared.recording import MAX_SECONDS, Recording
from hal.shared.samples import SAMPLE_WIDTH
from hal.shared.session import ListeningTimes, Session

RECORDING_PATH = "/transcribe"
NOT_UNDERSTOOD = "Send a recording in binary frames, then the text __END__."
_MAX_BYTES = MAX_SECONDS * SAMPLE_RATE * SAMPLE_WIDTH


class RecordingSession(Session):
    """A session whose client neither wakes HAL nor hears more than the answer."""

    def __init__(
        self,
        session_id: str,
        send: Callable[[Frame | str], None],
        pipeline: Pipeline,
        listening_times: ListeningTimes | None = None,
    ) -> None:
        super().__init__(session_id, self._translate, pipeline, listening_times)
        self._reply = send
        self._sound = bytearray()

    def greet(self) -> None:
        """Say nothing: the first frame is the client's."""

    def receive(self, message: str | bytes) -> None:
        """Keep what is sound; ask with it when it is complete. A pause within it does not end it."""
        if isinstance(message, bytes):
            self._sound += message[: _MAX_BYTES - len(self._sound)]
        elif message.strip() == "__PING__":
            self._reply("__PONG__")
        elif message.strip() == "__END__":
            self._on_end()
        else:
            self._reply({"error": NOT_UNDERSTOOD})

    def _on_end(self) -> None:
        self._recording = Recording()
        self._recording.add(bytes(self._sound))
        self._sound.clear()
        if self._recording:
            self._finish_utterance()
        else:
            self._refuse(sentences.NOTHING_HEARD, "nothing_heard")

    def _translate(self, frame: Frame) -> None:
        if frame["type"] != "response":
            return
        if frame["status"] == Status.ERROR:
            self._reply({"error": frame["text"]})
        else:
            self._reply({name: frame[name] for name in ("text", "intent", "action")})
