"""Settings of a service, read from environment variables, and its logging.

Every service declares a frozen dataclass; `load` fills it from variables named after its
fields (`HAL_GATEWAY_PORT` for the field `port` under the prefix `HAL_GATEWAY_`), which systemd
reads from an EnvironmentFile. A mistake stops the service with one sentence that names it.
"""

from __future__ import annotations

import dataclasses
import logging
import os
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

EXIT_BAD_SETTINGS = 2

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


class SettingsError(ValueError):
    """A setting is missing, unknown or wrong; the text names the variable and what it wants."""


def load[T](
    cls: type[T], prefix: str, environ: Mapping[str, str] | None = None, *, ignore: Sequence[str] = ()
) -> T:
    """Fill `cls` from the environment, or end the program with one sentence and exit code 2.

    Arguments:
        cls: a dataclass whose fields are int, float, bool, str, Path, `Path | None`, list[str] or
            tuple[str, ...]; a field without a default is required. `__post_init__` may raise
            ValueError for values that do not fit together.
        prefix: what the variables' names begin with, such as "HAL_GATEWAY_".
        environ: the variables; the process's own unless given.
        ignore: names (shell patterns) that begin with the prefix but belong to something else.
    """
    try:
        return parse(cls, prefix, os.environ if environ is None else environ, ignore=ignore)
    except SettingsError as error:
        print(error, file=sys.stderr)
        raise SystemExit(EXIT_BAD_SETTINGS) from None


def parse[T](cls: type[T], prefix: str, environ: Mapping[str, str], *, ignore: Sequence[str] = ()) -> T:
    """Fill `cls` as `load` does.

    Raises:
        SettingsError: a variable is unknown, missing or has a value of the wrong type.
    """
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{cls.__name__} is not a dataclass")
    hints = get_type_hints(cls)
    fields = {prefix + field.name.upper(): field for field in dataclasses.fields(cls)}
    for name in sorted(environ):
        if name.startswith(prefix) and name not in fields and not any(fnmatchcase(name, p) for p in ignore):
            raise SettingsError(f"{name} is not a setting; known are {', '.join(sorted(fields))}")
    values: dict[str, Any] = {}
    for name, field in fields.items():
        raw = environ.get(name, "").strip()
        kind = hints[field.name]
        if name in environ and (raw or _accepts_empty(kind)):
            values[field.name] = _convert(name, raw, kind)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise SettingsError(f"{name} must be set")
    try:
        return cls(**values)
    except ValueError as error:
        raise SettingsError(f"{prefix}* settings: {error}") from error


def setup_logging(level: str = "INFO") -> None:
    """Send the log to standard error, one line an event; libraries only speak up for warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for library in ("httpx", "httpcore", "websockets", "asyncio"):
        logging.getLogger(library).setLevel(logging.WARNING)


class _OneLine(logging.Formatter):
    """Keep an event on one line, its traceback included, so that a log can be read by line."""

    def format(self, record: logging.LogRecord) -> str:
        return " | ".join(super().format(record).splitlines())


def _accepts_empty(kind: Any) -> bool:
    """Tell whether an empty value says something; for a number it means the default."""
    return kind is str or get_origin(kind) in (list, tuple, Union, types.UnionType)


def _convert(name: str, raw: str, kind: Any) -> Any:
    """Turn a variable's text into the type of its field."""
    if get_origin(kind) in (Union, types.UnionType):
        if not raw:
            return None
        (kind,) = (choice for choice in get_args(kind) if choice is not types.NoneType)
    if get_origin(kind) in (list, tuple):
        items = (item.strip() for item in raw.split(","))
        return get_origin(kind)(item for item in items if item)
    convert, wanted = _CONVERTERS[kind]
    try:
        return convert(raw)
    except ValueError:
        raise SettingsError(f"{name} must be {wanted}, not {raw!r}") from None


def _bool(raw: str) -> bool:
    if raw.lower() in _TRUE:
        return True
    if raw.lower() in _FALSE:
        return False
    raise ValueError(raw)


_CONVERTERS: dict[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "text"),
    int: (int, "a whole number"),
    float: (float, "a number"),
    bool: (_bool, "true or false"),
    Path: (Path, "a path"),
}


def check_ports(settings: object, *names: str) -> None:
    """Raise ValueError for a field that is no TCP port; 0 is allowed."""
    for name in names:
        if not 0 <= getattr(settings, name) <= 65_535:
            raise ValueError(f"{name} must be between 0 and 65535")


def check_positive(settings: object, *names: str) -> None:
    """Raise ValueError for a field that is not greater than 0."""
    for name in names:
        if not getattr(settings, name) > 0:
            raise ValueError(f"{name} must be greater than 0")


def check_not_negative(settings: object, *names: str) -> None:
    """Raise ValueError for a field that is less than 0."""
    for name in names:
        if not getattr(settings, name) >= 0:
            raise ValueError(f"{name} must not be negative")
