"""The language model: Ollama's `POST /api/chat`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing

import httpx

from hal.gateway.backends import http
from hal.protocol import Frame, encodable
from hal.shared.breaker import BackendError, Failover, NotReady
from hal.shared.metrics import GatewayMetrics
from hal.shared.speakable import SpeakableStream, begins_in_thought

log = logging.getLogger(__name__)

MAX_TOKENS = 200
SYSTEM_PROMPT = (
    "You are HAL, the assistant of one household. Your answer is read aloud: use at most three short "
    "sentences in plain words, without lists, headings or symbols. You do not see the household's records "
    "here: never invent a medication, an appointment or an amount."
)
LOAD_TIMEOUT_S = 1_800.0  # 40 GB from a hard disk


class LanguageBackend:
    """Lets a language model answer, at one of several servers."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        urls: Sequence[str],
        model: str,
        metrics: GatewayMetrics,
        *,
        timeout_s: float = 55.0,
        load_wait_s: float = 5.0,
    ) -> None:
        self._client = client
        self._model = model
        self._timeout_s = timeout_s
        self._load_wait_s = load_wait_s
        self._loads: dict[str, asyncio.Task[None]] = {}
        self._begins_in_thought: dict[str, bool] = {}
        self.failover = Failover("ollama", [url.rstrip("/") for url in urls], metrics, self.probe)

    async def answer(
        self, prompt: str, context: Sequence[Frame], say: Callable[[str], None] | None = None
    ) -> str:
        """Return a short answer to `prompt`, given earlier turns; empty if the model had nothing to say.

        Arguments:
            prompt: the question.
            context: earlier turns, each with `question` and `answer`.
            say: called with the sentences of the answer as they become whole, if it has more than one. Then
                no other server is asked when this one breaks off.

        Raises:
            NotReady: the model is being loaded, which goes on.
            BackendError: no server answered.
        """
        messages = [{"role": "system", "content": SYSTEM_PROMPT}]
        for turn in context:
            question, answer = turn.get("question"), turn.get("answer")
            if isinstance(question, str) and isinstance(answer, str):
                messages.append({"role": "user", "content": question})
                messages.append({"role": "assistant", "content": answer})
        messages.append({"role": "user", "content": prompt})
        payload = {
            "model": self._model,
            "messages": messages,
            "stream": True,
            "think": False,
            "options": {"num_predict": MAX_TOKENS},
        }

        is_begun = False

        async def attempt(url: str) -> str:
            nonlocal is_begun
            await self._wait_until_loaded(url)
            begins_in_thought = say is not None and await self._may_begin_in_thought(url)
            answer = SpeakableStream(begins_in_thought=begins_in_thought)
            reply = http.post_for_lines(self._client, f"{url}/api/chat", payload)
            async with aclosing(reply):
                async for line in reply:
                    answer.add(_content(line, url))
                    is_done = line.get("done") is True
                    is_cut = line.get("done_reason") == "length"
                    said = answer.finish(is_cut=is_cut) if is_done else answer.sentences() if say else ""
                    if say and said and (is_begun or not is_done):
                        is_begun = True
                        say(said)
                    if is_done:
                        return answer.said
            raise BackendError(f"{url} ended its answer before it was done")

        return await self.failover.call(attempt, self._timeout_s, lambda: is_begun)

    async def probe(self, address: str) -> bool:
        """Tell whether the server at `address` answers."""
        return await http.answers(self._client, f"{address}/api/tags")

    async def stop(self) -> None:
        """Give up what is being loaded."""
        loads = list(self._loads.values())
        for load in loads:
            load.cancel()
        await asyncio.gather(*loads, return_exceptions=True)

    async def _may_begin_in_thought(self, url: str) -> bool:
        """Tell whether the model's answers may begin with a thought that nothing marks."""
        if url not in self._begins_in_thought:
            try:
                shown = await http.post(self._client, f"{url}/api/show", {"model": self._model})
            except BackendError as error:
                log.warning("language_model: answers are given out whole: %s", error)
                return True
            self._begins_in_thought[url] = begins_in_thought(str(shown.get("template") or ""))
        return self._begins_in_thought[url]

    async def _wait_until_loaded(self, url: str) -> None:
        """Return once the server has the model in memory.

        A server that loses its client gives up loading, so that a turn's time limit would have it begin anew
        with every question. Therefore loading is no turn's own: it goes on when the turn is over.

        Raises:
            NotReady: that takes longer than a person is to wait.
            BackendError: the server cannot load it.
        """
        load = self._loads.get(url)
        if load is None:
            load = self._loads[url] = asyncio.create_task(self._load(url))
            load.add_done_callback(
                lambda ended: ended.cancelled() or ended.exception()
            )  # nobody may wait then
        await asyncio.wait([load], timeout=self._load_wait_s)
        if not load.done():
            raise NotReady(f"{url} is still loading {self._model}")
        await load

    async def _load(self, url: str) -> None:
        """Have the server load the model: a question without words does, and returns when it is loaded.

        `GET /api/ps` would not do: it lists a model as soon as its loading begins.
        """
        try:
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                await http.post(self._client, f"{url}/api/generate", {"model": self._model, "stream": False})
        except TimeoutError as error:
            raise BackendError(f"{url} did not load {self._model} in {LOAD_TIMEOUT_S:g} s") from error
        finally:
            del self._loads[url]


def _content(line: Frame, url: str) -> str:
    """Return the text in one line of an answer; a model that thinks sends lines without any."""
    message = line.get("message")
    content = message.get("content") or "" if isinstance(message, dict) else None
    if not isinstance(content, str):
        raise BackendError(f"{url} sent {line.get('error') or 'a reply without a message'}")
    return encodable(content)
