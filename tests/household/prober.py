"""Every site of the household's proxy, asked without end: what fails meanwhile is counted."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from tests.unit.network.proxied import ask, ask_websocket

PAUSE_S = 1.0  # of each site; all of them together stay below what one address may ask


@dataclass(frozen=True)
class Site:
    """A site, and what it answers.

    Attributes:
        name: the host that is asked for.
        who: the back end that answers; empty if the proxy itself does.
        port: where the proxy is asked.
        path: what is asked for.
        certificate: the first name of the certificate that is shown; empty: it is asked without TLS.
        status: of the answer.
        websocket: whether it is asked as a WebSocket.
        sign_in: user and password.
        location: where it leads to.
    """

    name: str
    who: str = ""
    port: int = 443
    path: str = "/"
    certificate: str = "household.test"
    status: int = 200
    websocket: bool = False
    sign_in: str = ""
    location: str = ""

    def __str__(self) -> str:
        """Return how a person calls it."""
        kind = " as a WebSocket" if self.websocket else ""
        return f"{self.name}:{self.port}{self.path}{kind}{' signed in' if self.sign_in else ''}"

    def fault(self, address: str) -> str:
        """Ask the proxy at this address; return what is wrong with the answer, empty if nothing is."""
        tls = bool(self.certificate)
        try:
            if self.websocket:
                answer = ask_websocket(self.port, self.name, tls=tls, address=address)
                right = answer["said"] == f"{self.who} hears hello\n"
            else:
                signed = {"Authorization": "Basic " + base64.b64encode(self.sign_in.encode()).decode()}
                headers = signed if self.sign_in else {}
                answer = ask(
                    self.port, self.name, self.path, tls=tls, address=address, headers=headers, attempts=1
                )
                right = self._is_right(answer)
        except OSError as error:
            return f"{type(error).__name__}: {error}"
        if right and tls and f"CN={self.certificate}" not in answer["certificate"]:
            return f"another certificate: {answer['certificate']}"
        return "" if right else json.dumps(answer)[:300]

    def _is_right(self, answer: dict[str, Any]) -> bool:
        if answer.get("status") != self.status:
            return False
        if self.location and dict(answer["headers"]).get("location") != self.location:
            return False
        return not self.who or json.loads(answer["body"])["who"] == self.who


SITES = [
    Site("cloud.household.test", "cloud"),
    Site("files.household.test", "cloud", path="/a/b?c=d"),
    Site("shop.household.test", "shop"),
    Site("shop.household.test", "shop_api", path="/api/v1"),
    Site("any.apps.household.test", "apps"),
    Site("ha.household.test", "homeassistant"),
    Site("ha.household.test", "homeassistant", websocket=True),
    Site("photos.other.test", "photos", certificate="photos.other.test"),
    Site("admin.household.test", status=401),
    Site("admin.household.test", "admin", sign_in="anna:geheim"),
    Site("new.household.test", "landing"),
    Site("old.household.test", status=302, location="https://cloud.household.test/"),
    Site("shop.household.test", port=80, certificate="", status=301, location="https://shop.household.test/"),
    Site("shop.household.test", "renew", port=80, path="/.well-known/acme-challenge/a", certificate=""),
    Site("mail.household.test", "mail", port=8443, certificate="mail.household.test"),
    Site("vault.household.test", "vault", port=8443, certificate="vault.household.test"),
    Site("music.household.test", "music", port=6600, certificate=""),
    Site("statistics", port=8404, path="/stats", certificate="", status=401),
    Site("statistics", port=8404, path="/stats", certificate="", sign_in="admin:geheim"),
]


@dataclass
class Prober(AbstractContextManager["Prober"]):
    """Asks all sites, each in a thread of its own, as long as its context lasts.

    Attributes:
        address: the proxy's.
        asked: how often each site was asked.
        failed: what failed, as (Unix time, site, what was wrong).
    """

    address: str
    asked: Counter[Site] = field(default_factory=Counter)
    failed: list[tuple[float, Site, str]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Prober:
        self._threads = [threading.Thread(target=self._ask, args=(site,)) for site in SITES]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, site: Site) -> None:
        while not self._ended.is_set():
            at, fault = time.time(), site.fault(self.address)
            self.asked[site] += 1
            if fault:
                self.failed.append((at, site, fault))
            self._ended.wait(PAUSE_S)

    def told(self) -> str:
        """Return what was counted, and each failure with the second in which it was."""
        times = [time.strftime("%H:%M:%S", time.gmtime(at)) for at, *_ in self.failed]
        rows = [f"  {at} {site}: {fault}" for at, (_, site, fault) in zip(times, self.failed, strict=True)]
        head = f"{self.asked.total()} requests of {len(self.asked)} sites, {len(self.failed)} failed"
        return "\n".join([head, *rows])
