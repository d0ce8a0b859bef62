# SPDX-License-Identifier: Apache-2.0
"""The decision for NVIDIA GPUs: a branch that drives all of them, its kernel modules, and who packages it."""

from __future__ import annotations

from collections.abc import Sequence

from ansible.module_utils.gpu import packages
from ansible.module_utils.gpu.answer import Answer, Family, Gpu, Machine, Tables, Wish, family_of, name_of
from ansible.module_utils.gpu.packages import Candidate

OTHER_DRIVERS = ("nouveau", "nova_core", "nova")


def fits(family: Family, branch: int, wish: Wish) -> bool:
    """Return whether a branch drives a family, and is as new as what runs on it asks for."""
    minimums = wish["minimum_branches"]
    minimum = int(minimums.get(family["name"], minimums.get("default", 0)))
    return max(family["first"], minimum) <= branch <= (family["last"] or branch)


def modules(families: Sequence[Family], branch: int, wanted: str) -> str:
    """Return which kernel modules of a branch drive all families: `open`, `proprietary`, or empty for none.

    The open ones are taken where NVIDIA holds them finished for every product, unless others are wanted.
    """
    can_open = all(family["open"] for family in families)
    ready = can_open and all(branch >= family["open"] for family in families)
    proprietary = all(family["proprietary"] for family in families)
    if wanted == "open":
        return "open" if can_open else ""
    if wanted == "proprietary" or not ready:
        return "proprietary" if proprietary else ""
    return "open"


def _candidates(machine: Machine, wish: Wish, tables: Tables, repository: str) -> list[Candidate]:
    return [
        Candidate(offer, branch)
        for offer in tables["offers"]
        if machine["distribution"]["id"] in offer["distributions"] and offer["repository"] == repository
        for branch in offer["branches"]
        if wish["branch"] in (0, branch)
    ]


def _choose(
    candidates: list[Candidate], families: Sequence[Family], wish: Wish
) -> tuple[Candidate, str] | None:
    """Return the first candidate that drives all families, with its kernel modules."""
    for candidate in candidates:
        kind = modules(families, candidate.branch, wish["kernel_modules"])
        if (
            kind
            and candidate.offer[f"modules_{kind}"]
            and all(fits(f, candidate.branch, wish) for f in families)
        ):
            return candidate, kind
    return None


def _range(family: Family, wish: Wish) -> str:
    minimums = wish["minimum_branches"]
    minimum = max(family["first"], int(minimums.get(family["name"], minimums.get("default", 0))))
    if family["last"] and family["last"] < minimum:
        return f"whose last branch is {family['last']}, while {minimum} is asked for"
    return f"which asks for {minimum}" + (f" to {family['last']}" if family["last"] else " or newer")


def _nobody(machine: Machine, known: list[tuple[Gpu, Family]], wish: Wish, tables: Tables) -> Answer:
    """Say why no branch drives any, or all, of the GPUs, and what to do where something can be done."""
    system = machine["distribution"]["name"]
    named = "; ".join(f"{name_of(gpu, family)}, {_range(family, wish)}" for gpu, family in known)
    offered = [c.branch for c in _candidates(machine, {**wish, "branch": 0}, tables, wish["repository"])]
    has = f"{system} ({wish['repository']}) offers {', '.join(map(str, offered)) or 'no known driver'}"
    if wish["branch"]:
        return Answer(
            "refused", f"Branch {wish['branch']} cannot be had for {named}. {has}: set gpu_driver_branch."
        )
    other = "nvidia" if wish["repository"] == "distribution" else "distribution"
    elsewhere = _candidates(machine, wish, tables, other)
    families = [family for _, family in known]
    if _choose(elsewhere, families, wish):
        return Answer("refused", f"{has}, but there is {named}. Set gpu_driver_repository: {other}.")
    kind = wish["kernel_modules"]
    if kind != "auto" and _choose(
        _candidates(machine, wish, tables, wish["repository"]), families, {**wish, "kernel_modules": "auto"}
    ):
        return Answer(
            "refused", f"There are no {kind} kernel modules for {named}. Set gpu_driver_kernel_modules: auto."
        )
    if any(not f["last"] or f["last"] >= max(offered, default=0) for _, f in known) and len(known) > 1:
        return Answer(
            "refused",
            f"No one driver is for all of {named}. {has}: take one out, or lower what is asked for.",
        )
    if not offered:
        return Answer(
            "refused",
            f"{has}: install its driver by hand, which is then kept, or use Debian 13 or Ubuntu 24.04.",
        )
    return Answer("none", f"No driver for {named}. {has}.")


def reboot_reason(machine: Machine, gpus: Sequence[Gpu]) -> str:
    """Return why only a restart brings the installed driver into effect; empty if it is not needed."""
    held = [gpu for gpu in gpus if gpu["driver"] in OTHER_DRIVERS]
    if held:
        return f"{held[0]['driver']} holds {name_of(held[0])}"
    kernel, on_disk = machine["kernel"], machine["modules"]
    if machine["loaded"] and on_disk.get(kernel, machine["loaded"]) != machine["loaded"]:
        return f"{machine['loaded']} is loaded, {on_disk[kernel]} is installed"
    if not machine["loaded"] and on_disk and kernel not in on_disk:
        return f"the driver is built for kernel {', '.join(sorted(on_disk))}, and {kernel} runs"
    return ""


def _secure_boot(machine: Machine, message: str) -> Answer:
    return Answer(
        "refused",
        f"{message} Secure Boot is on and refuses modules that this host builds: their key is not enrolled. "
        "Enrol it: `apt install dkms mokutil && dkms generate_mok; mokutil --import /var/lib/dkms/mok.pub`, "
        "restart, choose «Enroll MOK» at the console, and run again. Or switch Secure Boot off in the "
        "firmware (a Proxmox guest: an EFI disk without pre-enrolled keys).",
    )


def decide(machine: Machine, gpus: list[Gpu], wish: Wish, tables: Tables) -> Answer:
    """Decide for the NVIDIA GPUs of a host; see `plan.decide`."""
    found = [(gpu, family_of(gpu, tables["nvidia_families"])) for gpu in gpus]
    known = [(gpu, family) for gpu, family in found if family]
    unknown = [gpu for gpu, family in found if not family]
    explicit = bool(wish["branch"]) and wish["kernel_modules"] != "auto"
    if not known and not explicit:
        return Answer(
            "none",
            f"{', '.join(map(name_of, unknown))} is in no table, so no driver is guessed. If NVIDIA names "
            "a branch for it, set gpu_driver_branch and gpu_driver_kernel_modules (open, if it is new).",
        )
    candidates = _candidates(machine, wish, tables, wish["repository"])
    loaded = int(machine["loaded"].partition(".")[0] or 0)
    reachable = [c.branch for c in candidates] + ([loaded] if wish["keep_working"] and loaded else [])
    driven = [(g, f) for g, f in known if any(fits(f, branch, wish) for branch in reachable)]
    left_out = [pair for pair in known if pair not in driven]
    if known and not driven:
        return _nobody(machine, known, wish, tables)
    families = [family for _, family in driven]
    used = [gpu | {"family": f["name"]} for gpu, f in driven] + (unknown if explicit else [])
    notes = [f"Left out: {name_of(g, f)}, {_range(f, wish)}." for g, f in left_out]
    notes += [f"Left out: {name_of(gpu)}, which is in no table." for gpu in unknown if not explicit]
    named = ", ".join(name_of(gpu, {"name": gpu["family"]} if "family" in gpu else None) for gpu in used)
    choice = _choose(candidates, families, wish)
    answer = Answer("keep", "", vendor="nvidia", branch=loaded, gpus=used, count=len(used))
    answer.reboot = reboot_reason(machine, used)
    if choice:
        packages.fill(answer, machine, choice[0], kind=choice[1], offers=tables["offers"])
    ours = choice is not None and set(answer.packages) <= machine["packages"].keys()
    serves = bool(loaded) and wish["branch"] in (0, loaded) and all(fits(f, loaded, wish) for f in families)
    if wish["keep_working"] and serves and not ours and not answer.reboot:
        message = " ".join([f"{named}: NVIDIA {machine['loaded']} is loaded and is kept.", *notes])
        return Answer("keep", message, vendor="nvidia", branch=loaded, gpus=used, count=len(used))
    if choice is None:
        return _nobody(machine, driven, wish, tables)
    answer.outcome = "install"
    answer.message = " ".join([f"{named}: branch {answer.branch}, {answer.kernel_modules} modules.", *notes])
    trusted = answer.kernel_modules.startswith("signed") or machine["mok_enrolled"]
    if machine["secure_boot"] and not trusted and loaded != answer.branch:
        return _secure_boot(machine, answer.message)
    if machine["kernel"] in machine["modules"] and not machine["loaded"] and not answer.reboot:
        answer.load = "nvidia"
    return answer
