"""Filters that lead what the inventory fetches from the internet through the network's own cache.

The inventory states address and checksum of a download once, in one of three forms: `url` with `checksum`
(`sha256:…`), `url` with `sha256`, or the `url` of a directory with `files` ({name: checksum}).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

type Download = dict[str, Any]

DIRECTORY = "downloads"
INTERNET = re.compile(r"https?://")


def _path(url: str) -> str:
    """Return where a file stands in the cache: at its address without the protocol."""
    return INTERNET.sub("", url)


def _comes_from_outside(download: Download, cache_url: str) -> bool:
    url = download.get("url", "")
    return bool(INTERNET.match(url)) and not url.startswith(f"{cache_url}/")


def cached_files(downloads: Iterable[Download], cache_url: str) -> list[dict[str, str]]:
    """Return the files that the cache has to hold: [{path, url, checksum}].

    Args:
        downloads: what the inventory names. What it takes from the cache already is left out.
        cache_url: address of the cache, such as http://198.18.70.10:8080.
    """
    files = []
    for download in downloads:
        if not _comes_from_outside(download, cache_url):
            continue
        url = download["url"].rstrip("/")
        named = {f"{url}/{name}": checksum for name, checksum in download.get("files", {}).items()}
        checksum = download.get("checksum") or f"sha256:{download.get('sha256', '')}"
        files += [
            {"path": _path(address), "url": address, "checksum": expected}
            for address, expected in (named or {url: checksum}).items()
        ]
    return files


def from_cache(download: Download, cache_url: str) -> Download:
    """Return a download with the address under which the network's own cache has it."""
    if not _comes_from_outside(download, cache_url):
        return download
    return download | {"url": f"{cache_url}/{DIRECTORY}/{_path(download['url'])}"}


class FilterModule:
    """The filters, by the names that playbooks use."""

    def filters(self) -> dict[str, Any]:
        """Return name and function of each filter."""
        return {function.__name__: function for function in (cached_files, from_cache)}
