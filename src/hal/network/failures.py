"""What a failed task means for the person who reads it: the cause in one sentence, and what to do next."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

LONGEST = 500
HIDDEN = "Its output is hidden, for the task handles secrets (no_log)."
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z`'(])")
# Words that Ansible puts before what went wrong.
PREFIX = re.compile(
    r"^(?:(?:Task failed|Action failed|Module failed|Failed to connect to the host via ssh): "
    r"|Data could not be sent to remote host .* over ssh: )+"
)
# Who writes whole sentences for people, in which the remedy follows the cause.
SPEAKING = {"assert", "fail", "managed_files", "ufw_ruleset"}
# What programs say of a disk or a quota that is full, and of a database that is damaged.
FULL = (
    "No space left on device|disk is full|out of (?:disk )?space"
    "|not enough (?:free )?space|Disk quota exceeded"
)
DAMAGED = "database disk image is malformed|file is not a database|database .* is damaged"
# What ssh says of a host that shows another key: the file that has the old one, and the name it has there.
CHANGED_KEY = re.compile(
    r"Offending \S+ key in (?P<file>.+):\d+[\s\S]*Host key for (?P<name>\S+) has changed"
)
# What to do by the kind of task and what it said; the first that fits counts.
REMEDIES = [
    (
        "unreachable",
        "Permission denied|Authentication fail",
        "See whether {host} lets you in: it must know your SSH key, and ansible_user must be its user.",
    ),
    (
        "unreachable",
        "Host key verification|HOST IDENTIFICATION",
        "{host} shows another SSH host key than before. If it was installed anew, forget the old one: "
        "`{forget}`; otherwise find out why before you go on.",
    ),
    (
        "unreachable",
        "",
        "See whether {host} is switched on and answers: `ansible {host} -m ansible.builtin.ping`. "
        "A virtual machine that is off or gone: `ansible-playbook playbooks/recover.yml -e host={host}`; "
        "one that runs and does not answer, and a host that is none: docs/recovery.md.",
    ),
    (
        "proxmox_guest",
        FULL,
        "Make room in the storage of Proxmox that it names: `pvesm status` on the node shows them all, "
        "`pvesm list STORAGE` what is in one.",
    ),
    (
        "",
        DAMAGED,
        "If it is the household's database, a backup takes its place, and what is there is kept aside: "
        "`ansible-playbook playbooks/restore.yml -e host={host} -e overwrite=true`, and then site.yml.",
    ),
    (
        "",
        FULL,
        "A disk of {host} is full: `df -h` and `df -i` there tell which one, "
        "`du -xh --max-depth=2 / | sort -h | tail` what fills it. Make room, and run it again.",
    ),
    (
        "",
        "sudo password|a password is required|su password",
        "Give the password for sudo with --ask-become-pass, or let the user on {host} use sudo without one.",
    ),
    (
        "",
        "is undefined",
        "Define it in the inventory; `ansible-inventory --host {host}` shows what {host} has.",
    ),
    (
        "",
        "Could not get lock|dpkg was interrupted",
        "Wait until apt on {host} is done with other work, or end it.",
    ),
    (
        "apt|apt_repository|debian_packages|package|dnf|pip|win_package|python_release",
        "",
        "See whether {host} reaches where its packages come from; on Debian `apt-get update` there tells.",
    ),
    (
        "get_url|uri|unarchive|win_get_url|cached_downloads|ollama_models|wheelhouse",
        "",
        "See whether {host} reaches {address}: `curl -I` there tells. "
        "Then check address and checksum in the inventory.",
    ),
    (
        "systemd|systemd_service|service|systemd_current|win_service",
        "",
        "See why on {host}: `journalctl -u {unit} -n 50`.",
    ),
    (
        "template|copy|lineinfile|blockinfile|replace",
        "validat",
        "The file was left as it was. Correct the values that it is made of.",
    ),
    ("command|shell|script|raw", "", "Run it by hand on {host} to see more of it."),
    ("assert|fail", "", "Set right what it names."),
    ("", "", "See all of it with `-vvv --limit {host}`."),
]


def _text(value: Any) -> str:
    """Return what a task said as text, a list with one element a line."""
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)


def _one_line(text: str) -> str:
    """Return a text on one line, and not more of it than somebody reads."""
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _last_lines(result: Mapping[str, Any], count: int = 2) -> str:
    """Return the last lines of what a program said, its errors rather than its output."""
    for name in ("stderr", "module_stderr", "stdout", "module_stdout"):
        if lines := [line.strip() for line in _text(result.get(name)).splitlines() if line.strip()]:
            return " / ".join(lines[-count:])
    return ""


def _said(result: Mapping[str, Any]) -> str:
    """Return what went wrong in the words of the task, with those of the program that it ran."""
    message = PREFIX.sub("", _text(result.get("msg")).strip())
    if "rc" in result and (not message or "non-zero return code" in message):
        command = _one_line(_text(result.get("cmd")))
        return f"`{command}` ended with {result['rc']}: {_last_lines(result) or 'it said nothing'}"
    if not message or message.startswith("Module result deserialization failed"):
        return _last_lines(result) or message or "no reason given"
    return message


def failure_explanation(
    result: Mapping[str, Any],
    host: str,
    action: str,
    arguments: Mapping[str, Any],
    *,
    others: int = 0,
    unreachable: bool = False,
) -> dict[str, str]:
    """Explain a failed task.

    Args:
        result: what the task returned, as callbacks get it; of a loop, what its first failed item returned.
        host: the host it failed on.
        action: the task's module, with or without its collection.
        arguments: what the module was called with; its result rarely says.
        others: how many more items of the loop failed.
        unreachable: whether the host could not be reached.

    Returns:
        The `cause` in one sentence and the `next` step.
    """
    kind = "unreachable" if unreachable else action.rpartition(".")[2]
    if "censored" in result:
        step = f"Look on {host} at what the task does there."
        return {"cause": HIDDEN, "next": _remedy(kind, "", host, {}) if unreachable else step}
    told = _text(result.get("remedy"))  # of a health check, whose message ends with it
    said = _said(result).removesuffix(told).rstrip()
    if kind in SPEAKING:
        end = re.search(r"\n", said) or SENTENCE_END.search(said)
        cause, rest = (said[: end.start()], said[end.end() :]) if end else (said, "")
    else:
        cause, rest = said.splitlines()[-1 if unreachable else 0], ""
    item = _one_line(_text(result.get("_ansible_item_label")))
    about = f"{item}{f' and {others} more' if others else ''}: " if item else ""
    attempts = result.get("attempts", 0)
    tries = f" (after {attempts} attempts)" if attempts > 1 else ""
    return {
        "cause": f"{about}{_one_line(cause)}{tries}.",
        "next": rest.strip() or told or _remedy(kind, said, host, {**result, **arguments}),
    }


def _forget(said: str) -> str:
    """Return the command that forgets the SSH host key that a host had before."""
    if key := CHANGED_KEY.search(said):
        return shlex.join(["ssh-keygen", "-f", key["file"], "-R", key["name"]])
    return "ssh-keygen -f FILE -R ADDRESS"  # FILE is network_known_hosts of the inventory


def _remedy(kind: str, said: str, host: str, about: Mapping[str, Any]) -> str:
    """Return what to do, by the kind of task, what it said, and what it was about."""
    words = {
        "host": host,
        "unit": about.get("unit") or about.get("name") or "UNIT",
        "address": about.get("url") or about.get("src") or "where it comes from",
        "forget": _forget(said),
    }
    remedy = next(
        text
        for kinds, pattern, text in REMEDIES
        if (not kinds or kind in kinds.split("|")) and re.search(pattern, said, re.IGNORECASE)
    )
    return remedy.format(**words)
