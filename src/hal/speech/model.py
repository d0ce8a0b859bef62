"""The model and whether it can be used; it loads in the background so that the port answers at once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus

from hal.speech.errors import Unavailable
from hal.speech.settings import SpeechSettings
from hal.speech.transcriber import Transcriber

log = logging.getLogger(__name__)

SERVICE = "hal-speech"
type Loader = Callable[[SpeechSettings], Transcriber]


class Model:
    """Loads a transcriber once and hands it out; tells how it is."""

    def __init__(self, settings: SpeechSettings, loader: Loader) -> None:
        self._settings = settings
        self._loader = loader
        self._transcriber: Transcriber | None = None
        self._failure = ""

    @property
    def ready(self) -> bool:
        """Whether the model is loaded."""
        return self._transcriber is not None

    def start(self) -> None:
        """Begin to load, in a thread that a stop need not wait for."""
        threading.Thread(target=self.load, name="load-model", daemon=True).start()

    def load(self) -> None:
        """Load the model; a failure is kept and reported, not raised."""
        begun = time.monotonic()
        try:
            self._transcriber = self._loader(self._settings)
        except Exception as error:
            self._failure = f"The model {self._settings.model} cannot be loaded: {error}"
            log.critical("%s", self._failure)
        else:
            log.info("model %s loaded in %.1f s", self._settings.name, time.monotonic() - begun)

    def get(self) -> Transcriber:
        """Return the transcriber.

        Raises:
            Unavailable: it is not loaded yet, or cannot be.
        """
        if self._transcriber is None:
            raise Unavailable(self._failure or "The model is still being loaded: try again in a moment.")
        return self._transcriber

    def report(self) -> tuple[HTTPStatus, dict[str, str]]:
        """Return the HTTP status and the body of a health check."""
        device = self._transcriber.device if self._transcriber else self._settings.device
        report = {"model": self._settings.name, "device": device, "service": SERVICE}
        if self._transcriber is not None:
            fallback = {"fallback": self._transcriber.fallback} if self._transcriber.fallback else {}
            return HTTPStatus.OK, {"status": "ok", **report, **fallback}
        if self._failure:
            return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "error", "detail": self._failure, **report}
        return HTTPStatus.SERVICE_UNAVAILABLE, {"status": "loading", **report}
