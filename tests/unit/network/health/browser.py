"""A headless Chromium, driven by chromedriver's own HTTP interface (W3C WebDriver)."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

DRIVER = "chromedriver"
BROWSERS = ("chromium", "google-chrome")  # those that the driver looks for
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]
PROBES = Path(__file__).with_name("probes.js")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # how WebDriver names one
TIMEOUT_S = 60.0


class Browser:
    """One window of the browser."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def call(self, path: str, **arguments: Any) -> Any:
        """Return what a command of WebDriver answers."""
        reply = self.client.post(path, json=arguments)
        assert reply.is_success, reply.json()["value"]["message"]
        return reply.json()["value"]

    def open(self, page: Path) -> None:
        """Load a file and wait until it is there; what was logged before is forgotten."""
        self.call("/url", url="about:blank")
        for kind in ("browser", "performance"):
            self.call("/se/log", type=kind)
        self.call("/url", url=page.resolve().as_uri())

    def ask(self, probe: str, *arguments: Any) -> Any:
        """Return what one of `probes.js` tells of the page."""
        script = f"{PROBES.read_text()}\nreturn probes[{json.dumps(probe)}](...arguments);"
        return self.call("/execute/sync", script=script, args=list(arguments))

    def click(self, selector: str) -> None:
        """Click on an element as a person does: it must be visible and not covered."""
        element = self.call("/element", using="css selector", value=selector)[ELEMENT]
        self.call(f"/element/{element}/click")

    def console(self) -> list[str]:
        """Return what the page and the browser wrote to the console since the last call."""
        return [entry["message"] for entry in self.call("/se/log", type="browser")]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since the last call."""
        events = [
            json.loads(entry["message"])["message"] for entry in self.call("/se/log", type="performance")
        ]
        return [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]


@contextmanager
def browser(
    directory: Path, width: int, height: int, *, dark: bool = False, arguments: Sequence[str] = ()
) -> Iterator[Browser]:
    """Start a browser whose screen has a width and a height in CSS pixels.

    Args:
        directory: where it keeps its profile; empty.
        width: of the screen.
        height: of the screen.
        dark: whether the person prefers dark colours.
        arguments: further ones of its command line.
    """
    options = {
        "args": [
            *ARGUMENTS,
            *arguments,
            f"--user-data-dir={directory}",
            *(["--force-dark-mode"] if dark else []),
        ],
        "mobileEmulation": {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2}},
    }
    wanted = {"goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}, "goog:chromeOptions": options}
    with subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True) as driver:
        try:
            assert driver.stdout is not None
            ports = (re.search(r"successfully on port (\d+)", line) for line in driver.stdout)
            port = next(found[1] for found in ports if found)
            root = f"http://127.0.0.1:{port}/session"
            with httpx.Client(timeout=TIMEOUT_S, trust_env=False) as client:
                window = Browser(client)
                session = window.call(root, capabilities={"alwaysMatch": wanted})["sessionId"]
                client.base_url = httpx.URL(f"{root}/{session}")
                try:
                    yield window
                finally:  # or the browser outlives its driver
                    client.delete(f"{root}/{session}").raise_for_status()
        finally:
            driver.terminate()
