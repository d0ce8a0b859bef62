"""The language model: Ollama's `POST /api/chat`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from hal.gateway.backends import http
from hal.gateway.breaker import BackendError, Failover
from hal.gateway.metrics import Metrics
from hal.protocol import Frame, clean_text

MAX_TOKENS = 200
SYSTEM_PROMPT = (
    "You are HAL, the assistant of one household. Your answer is read aloud: use at most three short "
    "sentences in plain words, without lists, headings or symbols. You do not see the household's records "
    "here: never invent a medication, an appointment or an amount."
)
# Reasoning models may think aloud first; an unfinished thought has no end mark.
_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)


class LanguageBackend:
    """Lets a language model answer, at one of several servers."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        urls: Sequence[str],
        model: str,
        metrics: Metrics,
        *,
        timeout_s: float = 55.0,
    ) -> None:
        self._client = client
        self._model = model
        self._timeout_s = timeout_s
        self.failover = Failover("ollama", [url.rstrip("/") for url in urls], metrics, self.probe)

    async def answer(self, prompt: str, context: Sequence[Frame]) -> str:
        """Return a short answer to `prompt`, given earlier turns (`question`, `answer`).

        Raises:
            BackendError: no server answered, or the model said nothing.
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
            "stream": False,
            "think": False,
            "options": {"num_predict": MAX_TOKENS},
        }

        async def attempt(url: str) -> str:
            message = (await http.post(self._client, f"{url}/api/chat", payload)).get("message")
            content = message.get("content") if isinstance(message, dict) else None
            if not isinstance(content, str):
                raise BackendError(f"{url} sent a reply without a message")
            spoken = " ".join(_THOUGHT.sub(" ", clean_text(content)).split())
            if not spoken:
                raise BackendError(f"{url}: the model said nothing")
            return spoken

        return await self.failover.call(attempt, self._timeout_s)

    async def probe(self, address: str) -> bool:
        """Tell whether the server at `address` answers."""
        return await http.answers(self._client, f"{address}/api/tags")
