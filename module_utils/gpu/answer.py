# SPDX-License-Identifier: Apache-2.0
"""What every part of the decision shares: its result, and how a GPU is named and found in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

type Machine = dict[str, Any]
type Gpu = dict[str, str]
type Family = Mapping[str, Any]
type Wish = Mapping[str, Any]
type Tables = Mapping[str, Any]


@dataclass
class Answer:
    """Which driver a host gets.

    Attributes:
        outcome: `install` these packages; `keep` the driver that works; `none`; or `refused`, which a person
            must mend.
        message: the reason in one or two sentences.
        vendor: `nvidia` or `amd`; empty for none.
        branch: the driver's branch; 0 where the kernel brings it.
        kernel_modules: `open` or `proprietary`, `signed` before it if by the distribution; or `in-kernel`.
        repository: `distribution` or `nvidia`.
        components: those of the distribution that apt lacks so far.
        packages: the packages of the driver.
        kernel_packages: kernel and headers, to be brought up to date first: the running one's are missing.
        missing: those of the packages that are not installed.
        absent: installed packages of another driver.
        gpus: slot, id, name and family of each GPU that the driver is for.
        count: how many GPUs the driver must show.
        reboot: why a restart is necessary; empty if it is not.
        load: the module to load without a restart; empty for none.
    """

    outcome: str
    message: str
    vendor: str = ""
    branch: int = 0
    kernel_modules: str = ""
    repository: str = ""
    components: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    kernel_packages: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    gpus: list[Gpu] = field(default_factory=list)
    count: int = 0
    reboot: str = ""
    load: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


def name_of(gpu: Gpu, family: Family | None = None) -> str:
    """Return how a message names a GPU: `GeForce RTX 4090 [10de:2684] (Ada)`."""
    kind = f" ({family['name']})" if family else ""
    return f"{gpu['name'] or gpu['vendor'].upper()} [{gpu['id']}]{kind}"


def family_of(gpu: Gpu, families: Iterable[Family]) -> Family | None:
    """Return the family in whose ranges of PCI ids a GPU is, None if it is in no range."""
    device = int(gpu["id"][5:], 16)
    for family in families:
        for span in family["ids"]:
            first, _, last = span.partition("-")
            if int(first, 16) <= device <= int(last, 16):
                return family
    return None
