"""Read QR codes as they are drawn in a page, with a reader that is not the writer's."""

from __future__ import annotations

import re

import numpy as np
import zxingcpp

PIXELS = 4  # of a module's side


def pictures(page: str) -> list[np.ndarray]:
    """Return every code in a page as rows of grey pixels."""
    return [
        _picture(*found)
        for found in re.findall(r'<svg viewBox="0 0 (\d+) \1"[^>]*><path [^>]*d="([^"]+)"', page)
    ]


def read(picture: np.ndarray) -> str:
    """Return what a code says; empty when it cannot be read."""
    found = zxingcpp.read_barcodes(picture, text_mode=zxingcpp.TextMode.Plain)
    return found[0].text if found else ""


def _picture(side: str, path: str) -> np.ndarray:
    grid = np.full((int(side), int(side)), 255, np.uint8)
    x = y = 0.0
    for verb, text in re.findall(r"([Mmh])([-\d. ]+)", path):
        first, *second = map(float, text.split())
        if verb == "h":
            grid[int(y), int(x) : int(x + first)] = 0
            x += first
        else:
            x, y = (first, second[0]) if verb == "M" else (x + first, y + second[0])
    return np.kron(grid, np.ones((PIXELS, PIXELS), np.uint8))
