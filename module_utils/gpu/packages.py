# SPDX-License-Identifier: Apache-2.0
"""The packages of an NVIDIA driver on Debian and Ubuntu."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from ansible.module_utils.gpu.answer import Answer, Machine

# Packages that carry their branch in their names; libraries go with them.
NAMED_BY_BRANCH = re.compile(
    r"(?:nvidia-(?:driver(?:-pinning)?|dkms|headless(?:-no-dkms)?|utils|compute-utils|kernel-source|tesla)"
    r"|linux-modules-nvidia)-(\d{3})\b"
)


class Candidate(NamedTuple):
    """A branch that somebody packages for the host's distribution."""

    offer: dict[str, Any]
    branch: int


def kernel_flavour(machine: Machine) -> str:
    """Return the end of the kernel's metapackage: `amd64`, `generic-hwe-24.04`; empty if it has none."""
    match = re.fullmatch(r"\d[\d.]*[^-]*(?:-\d+)?-(?P<flavour>[a-z][\w.-]*)", machine["kernel"])
    flavour = match["flavour"] if match else ""
    metas = [
        name.removeprefix("linux-image-") for name in machine["packages"] if name.startswith("linux-image-")
    ]
    # Ubuntu's `virtual` is `generic` with fewer modules.
    metas = [re.sub(r"^virtual\b", "generic", meta) for meta in metas if not meta[0].isdigit()]
    matching = [meta for meta in metas if flavour and re.match(rf"{re.escape(flavour)}(-hwe|$)", meta)]
    return max(matching, key=len, default="")


def _expand(names: list[str], branch: int, kind: str, kernel: str) -> list[str]:
    suffix = "-open" if kind == "open" else ""
    return [name.format(branch=branch, open=suffix, kernel=kernel) for name in names]


def _all_packages(offer: dict[str, Any]) -> list[str]:
    """Return every package of an offer, but signed ones, which carry their branch in their names."""
    names = offer["modules_proprietary"] + offer["modules_open"] + offer["packages"]
    return [name.format(branch=branch) for branch in offer["branches"] for name in names]


def fill(
    answer: Answer, machine: Machine, candidate: Candidate, *, kind: str, offers: list[dict[str, Any]]
) -> None:
    """Write into an answer what is to be installed from an offer, and what is to go."""
    offer, branch = candidate
    kernel = kernel_flavour(machine)
    signed = bool(kernel and offer.get("signed"))
    wanted = offer["signed"] if signed else offer[f"modules_{kind}"]
    answer.branch = branch
    answer.kernel_modules = f"signed {kind}" if signed else kind
    answer.repository = offer["repository"]
    answer.components = [name for name in offer["components"] if name not in machine["components"]]
    answer.packages = _expand([*wanted, *offer["packages"]], branch, kind, kernel)
    if offer["repository"] == "nvidia":  # no branch in its packages' names: those of another one are replaced
        other = {n for n, version in machine["packages"].items() if not version.startswith(f"{branch}.")}
        answer.packages = [f"{name}={branch}.*" if name in other else name for name in answer.packages]
    if not signed:
        headers = f"linux-headers-{kernel or machine['kernel']}"
        answer.packages.insert(0, headers)
        if kernel and not machine["headers"]:
            answer.kernel_packages = [f"linux-image-{kernel}", headers]
    answer.packages.append("pciutils")
    here = machine["distribution"]["id"]
    others = {n for o in offers if here in o["distributions"] for n in _all_packages(o)}
    others |= {n for n in machine["packages"] if (m := NAMED_BY_BRANCH.match(n)) and int(m[1]) != branch}
    kept = {name.partition("=")[0] for name in answer.packages}
    answer.absent = sorted((others - kept) & machine["packages"].keys())
