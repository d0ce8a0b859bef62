"""One answer on its way to a person: printed, and spoken if that was asked for, sentence by sentence."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Self

from hal.client.errors import ClientError
from hal.client.settings import ClientSettings
from hal.client.text_to_speech import play, speech_file
from hal.client.turn import GatewayAnswer


class AnswerOutput:
    """Shows an answer while it is made. Use it with `async with`, which ends when all is spoken.

    Arguments:
        settings: where the answer is made speech.
        as_json: print one JSON object on one line, at the end.
        speaks: speak the answer too. A fault of that is worth a line and no more: the answer is printed.
    """

    def __init__(self, settings: ClientSettings, *, as_json: bool, speaks: bool) -> None:
        self._settings = settings
        self._as_json = as_json
        self._said = ""
        self._has_heard = False
        self._unspoken: asyncio.Queue[str] = asyncio.Queue()
        self._speaks = speaks
        self._speaking: asyncio.Task[None] | None = None
        self.has_spoken = False  # the whole answer, aloud

    async def __aenter__(self) -> Self:
        if self._speaks:
            self._speaking = asyncio.create_task(self._speak())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind and self._said and not self._as_json:
            print()
        if self._speaking is None:
            return
        if kind:
            self._speaking.cancel()
        self._unspoken.put_nowait("")
        await asyncio.wait([self._speaking])

    def heard(self, question: str) -> None:
        """Print what was understood of a spoken question."""
        if not self._as_json and not self._has_heard:
            print(f"You said: {printable(question)}", flush=True)
        self._has_heard = True

    def said(self, sentences: str) -> None:
        """Print and speak the next sentences of an answer that goes on."""
        if not self._as_json:
            print(f"{' ' if self._said else ''}{printable(sentences)}", end="", flush=True)
        self._said = f"{self._said} {sentences}".strip()
        self._unspoken.put_nowait(sentences)

    def finish(self, question: str, answer: GatewayAnswer) -> None:
        """Print and speak the rest.

        Arguments:
            question: as it was typed; empty if only its sound is known.
            answer: the whole.
        """
        if self._as_json:
            print(json.dumps({"question": question or answer.transcription, **asdict(answer)}), flush=True)
        elif answer.transcription:
            self.heard(answer.transcription)
        if not answer.text.startswith(self._said):  # it ended otherwise than it began
            if not self._as_json:
                print()
            self._said = ""
        if rest := answer.text[len(self._said) :].strip():
            self.said(rest)
        if not self._as_json:
            print(flush=True)

    async def _speak(self) -> None:
        """Speak the sentences one after another; where nothing can play them, keep all of them as a file."""
        try:
            file, spoken = None, ""
            while text := await self._unspoken.get():
                if file is None:
                    file, spoken = await play(self._settings, text), text
            if file is None:
                self.has_spoken = True
                return
            if spoken != self._said:
                file.unlink()
                file = await speech_file(self._settings, self._said)
            print(f"No program here could play the answer; it is saved as {file}.", file=sys.stderr)
        except ClientError as error:
            print(error, file=sys.stderr)


def printable(text: str) -> str:
    """Drop control characters: an answer may quote records, and a terminal obeys escape sequences."""
    return "".join(character for character in text if character.isprintable() or character in "\n\t")
