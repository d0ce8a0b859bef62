"""The language model server."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.hal_checks.http import answer, request
from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target
from ansible.module_utils.hal_checks.websocket import decode


def _names(target: Target, path: str) -> list[str]:
    """Return the names of the models that a list of the server holds."""
    listed = decode(answer(target, "GET", path)).get("models")
    if listed is not None and not isinstance(listed, list):
        raise CheckFailed(f"GET {path} does not tell models but {str(listed)[:60]!r}")
    return [str(model.get("name")) for model in listed or [] if isinstance(model, dict)]


def _has(names: list[str], model: str) -> bool:
    """Return whether a model is listed; without a tag it is the one that is tagged `latest`."""
    return model in names or (":" not in model and f"{model}:latest" in names)


def _generate(target: Target, model: str) -> dict[str, Any]:
    """Let a model say a word; return how fast it was."""
    order = {"model": model, "prompt": "Say yes.", "stream": False, "options": {"num_predict": 4}}
    said = decode(answer(target, "POST", "/api/generate", order))
    if not (said.get("response") or said.get("thinking")):  # some think first, and need more words for that
        raise CheckFailed(
            f"the model {model} says nothing", f"On {target.host}: `journalctl -u ollama -n 50`"
        )
    tokens, duration_ns = said.get("eval_count"), said.get("eval_duration")
    if not tokens or not duration_ns:
        return {}
    return {"tokens_per_second": round(tokens / duration_ns * 1e9, 1)}


def ollama(target: Target) -> Found:
    """Check that the declared models are there and, if it is to generate, that the first of them does."""
    there = _names(target, "/api/tags")
    if missing := [model for model in target.models if not _has(there, model)]:
        raise CheckFailed(
            f"lacks the model {', '.join(missing)}", f"Run `ollama pull {missing[0]}` on {target.host}"
        )
    if not there:
        raise CheckFailed("has no model", "Name one in the inventory and run site.yml")
    status, said = request(target, "GET", "/api/version")
    version = str(decode(said).get("version", "")) if status == 200 else ""
    details: dict[str, Any] = {"models": there}
    message = f"{len(there)} models"
    if target.generate:
        model = (target.models or there)[0]
        details |= _generate(target, model)
        message = f"{message}; {model} generates"
    if target.loaded:
        details["loaded"] = _names(target, "/api/ps")
        if idle := [model for model in target.loaded if not _has(details["loaded"], model)]:
            raise CheckFailed(
                f"has not loaded the model {', '.join(idle)}",
                f'Run `ollama run {idle[0]} ""` on {target.host}, and see OLLAMA_KEEP_ALIVE in its settings',
            )
    return Found(message, version, details=details)
