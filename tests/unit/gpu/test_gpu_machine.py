"""A host's facts are read from its files and tools, which a directory and a dictionary stand in for."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from ansible.module_utils.gpu import lspci, machine
from tests.unit.gpu.conftest import SAMPLES

KERNEL = platform.release()
NOT_INSTALLED = (127, "")
TARGETS = """\
https://mirror.example/debian stable-updates trixie-updates main /etc/apt/sources.list.d/debian.sources:1
https://mirror.example/debian stable trixie main {entry}
https://mirror.example/debian stable trixie non-free-firmware {entry}
https://other.example/packages stable stable main /etc/apt/sources.list.d/other.list:1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text(
        'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nVERSION_CODENAME=trixie\nID=debian\n'
    )
    return tmp_path


def write(path: Path, content: bytes | str = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def tools(gpus: str, **answers: tuple[int, str]):
    """Return a `run` that answers by the command's name and first option."""
    said = {"lspci": (0, (SAMPLES / f"{gpus}.lspci").read_text())} | answers

    def run(command: list[str]) -> tuple[int, str]:
        return said.get(" ".join(command[:2]), said.get(command[0], NOT_INSTALLED))

    return run


def test_a_machine_without_a_gpu_is_asked_no_further(root):
    asked = []

    def run(command: list[str]) -> tuple[int, str]:
        asked.append(command[0])
        return (0, "") if command == lspci.COMMAND else NOT_INSTALLED

    facts = machine.read(run, root)
    assert facts["distribution"]["id"] == "debian-13"
    assert facts["gpus"] == [] and not facts["secure_boot"]
    assert set(asked) == {"systemd-detect-virt", "lspci"}


@pytest.mark.parametrize(("byte", "on"), [(b"\x01", True), (b"\x00", False)])
def test_secure_boot_is_what_the_firmware_says(root, byte, on):
    write(root / machine.SECURE_BOOT, b"\x06\x00\x00\x00" + byte)
    assert machine.read(tools("no_gpu"), root)["secure_boot"] is on


def test_container_and_virtual_machine_are_told_apart(root):
    container = machine.read(tools("ada", **{"systemd-detect-virt --container": (0, "podman\n")}), root)
    assert (container["container"], container["vm"]) == ("podman", "")
    guest = machine.read(tools("ada", **{"systemd-detect-virt --vm": (0, "kvm\n")}), root)
    assert (guest["container"], guest["vm"]) == ("", "kvm")


def test_the_installed_driver_is_found_under_every_packagers_name(root):
    write(root / "lib/modules/6.12.1-amd64/updates/dkms/nvidia-current.ko.xz")
    write(root / "lib/modules/6.12.1-amd64/updates/dkms/nvidia-current-drm.ko.xz")
    write(root / "lib/modules/6.14.0-37-generic/kernel/nvidia-580srv-open/nvidia.ko.zst")
    write(root / "lib/modules/6.14.0-37-generic/kernel/drivers/video/fbdev/nvidia/nvidiafb.ko")
    asked = []

    def run(command: list[str]) -> tuple[int, str]:
        if command[0] == "modinfo":
            asked.append(Path(command[-1]).name)
            return 0, "580.95.05\n"
        return tools("ada")(command)

    assert machine.read(run, root)["modules"] == dict.fromkeys(
        ["6.12.1-amd64", "6.14.0-37-generic"], "580.95.05"
    )
    assert sorted(asked) == ["nvidia-current.ko.xz", "nvidia.ko.zst"]


def test_the_loaded_driver_its_headers_and_its_nodes_are_found(root):
    write(root / "sys/module/nvidia/version", "550.163.01\n")
    write(root / f"lib/modules/{KERNEL}/build/Makefile")
    for name in ("nvidia0", "nvidiactl", "kfd", "null"):
        write(root / "dev" / name)
    facts = machine.read(tools("ada_nvidia"), root)
    assert (facts["loaded"], facts["headers"]) == ("550.163.01", True)
    assert facts["nodes"] == ["kfd", "nvidia0"]


def test_only_installed_packages_of_interest_are_listed(root):
    listing = (
        "ii  nvidia-smi 550.163.01-2\nrc  nvidia-kernel-dkms 535.1-1\nii  bash 5.2\nii  pciutils 1:3.13.0-2\n"
    )
    facts = machine.read(tools("ada", **{"dpkg-query": (0, listing)}), root)
    assert facts["packages"] == {"nvidia-smi": "550.163.01-2", "pciutils": "1:3.13.0-2"}


@pytest.mark.parametrize(
    ("entry", "text", "key"),
    [
        ("apt.list:2", "# Debian\ndeb https://mirror.example/debian trixie main\n", ""),
        ("apt.list:1", "deb [arch=amd64 signed-by=/debian.gpg] https://mirror.example t\n", "/debian.gpg"),
        ("x.sources:2", "# A\n\nSigned-By: /other.pgp\n\nTypes: deb\n# B\nSigned-By: /a.pgp\n", "/a.pgp"),
        ("x.sources:1", "Signed-By:\n -----BEGIN\n .\n mQ\nSuites: t\n", "\n -----BEGIN\n .\n mQ"),
    ],
)
def test_apts_own_view_gives_components_mirror_and_key(root, entry, text, key):
    write(root / "etc/apt" / entry.rpartition(":")[0], text)
    facts = machine.read(tools("ada", **{"apt-get": (0, TARGETS.format(entry=f"/etc/apt/{entry}"))}), root)
    assert facts["components"] == ["main", "non-free-firmware"]
    assert (facts["mirror"], facts["signed_by"]) == ("https://mirror.example/debian", key)


def test_an_enrolled_key_is_recognised(root):
    said = "/var/lib/dkms/mok.pub is already enrolled\n"
    assert machine.read(tools("ada", mokutil=(1, said)), root)["mok_enrolled"] is True
    assert (
        machine.read(tools("ada", mokutil=(0, "/var/lib/dkms/mok.pub is not enrolled\n")), root)[
            "mok_enrolled"
        ]
        is False
    )


@pytest.mark.parametrize(
    ("version", "location", "expected"),
    [
        (110000, 768, {"0000:03:00.0": "gfx1100"}),
        (90010, 49408, {"0000:c1:00.0": "gfx90a"}),
        (100306, 4353, {"0000:11:00.1": "gfx1036"}),
        (0, 0, {}),
    ],
)
def test_the_targets_of_amdgpu_are_named_as_llvm_does(root, version, location, expected):
    nodes = root / "sys/class/kfd/kfd/topology/nodes"
    write(
        nodes / "1/properties",
        f"cpu_cores_count 0\nlocation_id {location}\ndomain 0\ngfx_target_version {version}\n",
    )
    assert machine.compute_targets(root) == expected
