"""The language model server."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ansible.module_utils.hal_checks import gpu
from ansible.module_utils.hal_checks.http import answer, request
from ansible.module_utils.hal_checks.result import CheckFailed, Found
from ansible.module_utils.hal_checks.target import Target
from ansible.module_utils.hal_checks.websocket import decode


def _models(target: Target, path: str) -> dict[str, dict[str, Any]]:
    """Return the models that a list of the server holds, by name."""
    listed = decode(answer(target, "GET", path)).get("models")
    if listed is not None and not isinstance(listed, list):
        raise CheckFailed(f"GET {path} does not tell models but {str(listed)[:60]!r}")
    return {str(model.get("name")): model for model in listed or [] if isinstance(model, dict)}


def _has(names: Collection[str], model: str) -> bool:
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


def _check_speed(target: Target, model: str, speed: float | None) -> None:
    """Raise CheckFailed if a model answers more slowly than is declared."""
    minimum = target.minimum_tokens_per_second
    if minimum and speed is not None and speed < minimum:
        raise CheckFailed(
            f"{model} answers with {speed:g} tokens a second, fewer than {minimum:g}",
            f"On {target.host}: `ollama ps` and `top` show what else is computed there; take a smaller "
            "model, or lower network_language_model_minimum_tokens_per_second",
        )


def _check_gpu(target: Target, loaded: dict[str, dict[str, Any]]) -> None:
    """Raise CheckFailed if a model in memory is not all in the GPU's memory, where a GPU is expected."""
    if not (target.gpu in gpu.TOOLS or (target.gpu == "auto" and target.own and gpu.is_installed())):
        return
    for name, model in loaded.items():
        if target.models and not any(_has([name], declared) for declared in target.models):
            continue  # of others that people try out nothing is demanded
        size, in_gpu = int(model.get("size") or 0), int(model.get("size_vram") or 0)
        if not in_gpu:
            raise CheckFailed(
                f"{name} is computed on the processor, though there is a GPU",
                f"On {target.host}: `nvidia-smi` or `rocm-smi` says whether the driver works; after an "
                "upgrade of the driver restart the host, otherwise `systemctl restart ollama`, and see "
                "`journalctl -u ollama`",
            )
        if in_gpu < size:
            raise CheckFailed(
                f"only {in_gpu / 1e9:.1f} of {name}'s {size / 1e9:.1f} GB are in the GPU's memory, and the "
                "processor computes the rest",
                f"On {target.host}: `ollama ps` shows what else is loaded; take a smaller model",
            )


def ollama(target: Target) -> Found:
    """Check that the declared models are there, and that the first generates, on the GPU if there is one."""
    models = _models(target, "/api/tags")
    there = list(models)
    if missing := [model for model in target.models if not _has(there, model)]:
        raise CheckFailed(
            f"lacks the model {', '.join(missing)}", f"Run `ollama pull {missing[0]}` on {target.host}"
        )
    if not there:
        raise CheckFailed("has no model", "Name one in the inventory and run site.yml")
    status, said = request(target, "GET", "/api/version")
    version = str(decode(said).get("version", "")) if status == 200 else ""
    digests = [str(model.get("digest", "")) for model in models.values()]
    details: dict[str, Any] = {"models": there, "digests": digests}
    message = f"{len(there)} models"
    if target.generate:
        model = (target.models or there)[0]
        details |= _generate(target, model)
        message = f"{message}; {model} generates"
    if target.loaded or target.gpu not in ("", "none"):
        loaded = _models(target, "/api/ps")
        details["loaded"] = list(loaded)
        if idle := [model for model in target.loaded if not _has(details["loaded"], model)]:
            raise CheckFailed(
                f"has not loaded the model {', '.join(idle)}",
                f'Run `ollama run {idle[0]} ""` on {target.host}, and see OLLAMA_KEEP_ALIVE in its settings',
            )
        _check_gpu(target, loaded)
    _check_speed(target, (target.models or there)[0], details.get("tokens_per_second"))
    return Found(message, version, details=details)
