"""Leads what the inventory fetches from the internet through the network's own cache.

The inventory states address and checksum of a download once, in one of three forms: `url` with `checksum`
(`sha256:…`), `url` with `sha256`, or the `url` of a directory with `files` ({name: checksum}).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

type Download = dict[str, Any]

DIRECTORY = "downloads"
INTERNET = re.compile(r"https?://")
# A name in an apt source: another port is none of the proxy's, and an address would need no name server.
_NAME = r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*"
ARCHIVE = re.compile(rf"\bhttp://({_NAME})(?::80)?(?=[/\s]|$)", re.IGNORECASE | re.MULTILINE)


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


def declared_models(models: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return language models as those who fetch them want them, [{name, digest}]: without their size."""
    return [{key: model[key] for key in ("name", "digest") if key in model} for model in models]


def model_downloads(models: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the files to fetch, [{path, url, checksum, …}], each below a directory of its model's name.

    Args:
        models: {name, url, checksum, path}: an archive, and where the model stands in it, which is unpacked
            beside it; or {name, url, files}: files of the directory at that address, {name: checksum}. Empty
            ones are passed over.
    """
    downloads = []
    for model in filter(None, models):
        name, url = model["name"], model["url"]
        if "files" in model:
            downloads += [
                {"path": f"{name}/{file}", "url": f"{url}/{file}", "checksum": checksum}
                for file, checksum in model["files"].items()
            ]
        else:
            archive = {"path": f"{name}/{PurePosixPath(url).name}", "url": url, "checksum": model["checksum"]}
            downloads.append(archive | {"unpack_to": name, "creates": model["path"]})
    return downloads


def package_archives(hosts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the names of the archives that each host's apt fetches from without TLS.

    Args:
        hosts: variables of each host; those of whom playbooks/systems.yml has read `package_sources` count.
    """
    read = {host: hosts[host]["package_sources"] for host in hosts if "package_sources" in hosts[host]}
    return {
        host: sorted({name.lower() for name in ARCHIVE.findall(re.sub(r"(?m)#.*$", "", result["stdout"]))})
        for host, result in read.items()
        if "stdout" in result
    }
