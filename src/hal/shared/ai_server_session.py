"""The dialect of clients of an older server, AI.SERVER: one object with a question, one with its answer.

The client sends `{"type": "text_input", "text": …, "user_id": …, "session_id": …}` and gets
`{"type": "text_response", "text": …, "status": "success" or "error", "session_id": …}`. There is no greeting,
and every frame is answered by one. The client's `session_id` comes back with the answer and means nothing
else; `user_id` is not looked at, as anybody could write it.
"""

from __future__ import annotations

from collections.abc import Callable

from hal import protocol
from hal.protocol import Frame, ProtocolError, Status
from hal.shared.pipeline import Pipeline, TurnRequest
from hal.shared.session import ListeningTimes, Session

NOT_UNDERSTOOD = 'Send one JSON object: {"type": "text_input", "text": a question, "session_id": any text}.'
MAX_ID_CHARACTERS = 200


def text_response(text: str, status: Status, session_id: str) -> Frame:
    """Answer a question of this dialect; `session_id` is what the client calls its session."""
    return {"type": "text_response", "text": text, "status": status, "session_id": session_id}


class AiServerSession(Session):
    """A session that is asked by text alone, and says nothing but answers."""

    def __init__(
        self,
        session_id: str,
        send: Callable[[Frame], None],
        pipeline: Pipeline,
        listening_times: ListeningTimes | None = None,
    ) -> None:
        super().__init__(session_id, self._translate, pipeline, listening_times)
        self._reply = send
        self._id_now: str | None = None  # of the frame that is being received
        self._ids: list[str] = []  # of the questions that have no answer yet; these come in order

    def greet(self) -> None:
        """Say nothing: the first frame is the client's."""

    def receive(self, message: str | bytes) -> None:
        """Take a question; whatever else comes is answered, too, with what is wrong with it."""
        self._id_now = self.session_id
        try:
            frame = protocol.decode_object(message)
            self._id_now = self._id_in(frame)
            if frame.get("type") != "text_input":
                raise ProtocolError(NOT_UNDERSTOOD)
            # Nobody is asked back: over TCP the answer to that would come on another connection.
            self._on_text(frame | {"confidence": None})
        except ProtocolError as error:
            self._refuse(str(error), "not_understood")
        finally:
            self._id_now = None

    def _id_in(self, frame: Frame) -> str:
        """Return what the client calls its session; what HAL calls it where the client gives it no name."""
        said = frame.get("session_id")
        if said is None or said == "":
            return self.session_id
        if not isinstance(said, str) or len(said) > MAX_ID_CHARACTERS:
            raise ProtocolError("Invalid session ID")
        return protocol.encodable(said)

    def _ask(self, question: TurnRequest) -> None:
        unanswered = self._unanswered
        super()._ask(question)
        if self._unanswered > unanswered:  # and was not refused
            self._ids.append(self._id_now or self.session_id)

    def _translate(self, frame: Frame) -> None:
        if frame["type"] != "response":
            return
        own = self._id_now is None and self._ids
        session_id = self._ids.pop(0) if own else self._id_now or self.session_id
        self._reply(text_response(frame["text"], frame["status"], session_id))
