"""The facts of a Windows Server 2022, as the setup module gathers them, by subset."""

from __future__ import annotations

from typing import Any

MINIMUM = ("date_time", "distribution", "env", "platform", "powershell_version", "user")
FACTS: dict[str, dict[str, Any]] = {
    "date_time": {
        "date_time": {
            "date": "2026-01-15",
            "epoch": "1768478400",
            "epoch_int": 1768478400,
            "iso8601": "2026-01-15T12:00:00Z",
            "iso8601_basic_short": "20260115T120000",
            "tz": "UTC",
        },
    },
    "distribution": {
        "distribution": "Microsoft Windows Server 2022 Standard",
        "distribution_version": "10.0.20348.0",
        "distribution_major_version": "10",
        "os_family": "Windows",
        "os_name": "Microsoft Windows Server 2022 Standard",
        "os_product_type": "server",
        "os_installation_type": "Server",
    },
    "env": {
        "env": {
            "COMPUTERNAME": "QM1",
            "ProgramData": r"C:\ProgramData",
            "ProgramFiles": r"C:\Program Files",
            "SystemDrive": "C:",
            "SystemRoot": r"C:\Windows",
            "TEMP": r"C:\Users\ansible\AppData\Local\Temp",
        },
    },
    "memory": {"memtotal_mb": 8192, "memfree_mb": 4096, "swaptotal_mb": 1280},
    "platform": {
        "architecture": "64-bit",
        "architecture2": "x86_64",
        "domain": "",
        "fqdn": "qm1",
        "hostname": "qm1",
        "kernel": "10.0.20348.0",
        "netbios_name": "QM1",
        "nodename": "qm1",
        "reboot_pending": False,
        "system": "Win32NT",
        "system_vendor": "QEMU",
    },
    "powershell_version": {"powershell_version": 5},
    "processor": {"processor_cores": 2, "processor_count": 1, "processor_vcpus": 2},
    "user": {"user_dir": r"C:\Users\ansible", "user_id": "ansible", "user_gecos": ""},
    "virtual": {"machine_id": "S-1-5-21-1", "virtualization_role": "guest", "virtualization_type": "kvm"},
}


def gather(subsets: list[str]) -> dict[str, Any]:
    """Return the facts of the subsets, and no others: a task that needs more must gather more.

    Args:
        subsets: What is asked for, as in gather_subset.

    Returns:
        The facts under the names that the module gives them.
    """
    wanted: set[str] = set()
    # What is left out counts last, except "!all", which stands for the minimum.
    for subset in sorted(subsets, key=lambda name: name.startswith("!") and name != "!all"):
        match subset:
            case "all":
                wanted |= set(FACTS)
            case "min" | "!all":
                wanted |= set(MINIMUM)
            case "!min":
                wanted -= set(MINIMUM)
            case _ if subset.startswith("!"):
                wanted.discard(subset[1:])
            case _:
                wanted |= {subset} & set(FACTS)
    return {f"ansible_{key}": value for name in sorted(wanted) for key, value in FACTS[name].items()}
