"""A host's facts are read from its files and tools, which a directory and a dictionary stand in for."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from ansible.module_utils.gpu import lspci, machine, rocm_smi
from tests.unit.gpu.conftest import SAMPLES

KERNEL = platform.release()
LSPCI = (0, (SAMPLES / "ada_nouveau.lspci").read_text())
OURS = "contrib non-free non-free-firmware"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write(tmp_path / "etc/os-release", 'PRETTY_NAME="Debian 13"\nVERSION_CODENAME=trixie\nID=debian\n')
    return tmp_path


def write(path: Path, content: bytes | str = b"") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def tools(**answers: tuple[int, str]):
    """Return a `run` that answers by the command's name and first option."""
    said = {"lspci": LSPCI} | answers

    def run(command: list[str]) -> tuple[int, str]:
        return said.get(" ".join(command[:2]), said.get(command[0], (127, "")))

    return run


def test_lspci_and_without_it_the_kernel_list_gpus_and_nothing_else(root):
    (gpu,) = lspci.parse(LSPCI[1])
    assert gpu == {
        "slot": "0000:01:00.0",
        "vendor": "nvidia",
        "id": "10de:2684",
        "name": "AD102 [GeForce RTX 4090]",
        "driver": "nouveau",
    }
    devices, driver = root / "sys/bus/pci/devices", root / "sys/bus/pci/drivers/nouveau"
    driver.mkdir(parents=True)
    for slot, kind in (("0000:00:1f.6", "0x020000"), ("0000:01:00.0", "0x030000")):
        for name, value in (("class", kind), ("vendor", "0x10de"), ("device", "0x2684")):
            write(devices / slot / name, f"{value}\n")
        (devices / slot / "driver").symlink_to(driver)
    assert (
        lspci.from_sysfs(root) == [gpu | {"name": ""}] == machine.read(tools(lspci=(127, "")), root)["gpus"]
    )


def test_a_machine_without_a_gpu_is_asked_no_further(root):
    facts = machine.read(tools(lspci=(0, "")), root)
    assert (facts["family"], facts["gpus"], facts["secure_boot"]) == ("debian", [], False)
    assert facts["packages"] == facts["source"] == {}


@pytest.mark.parametrize(("byte", "on"), [(b"\x01", True), (b"\x00", False)])
def test_secure_boot_is_what_the_firmware_says(root, byte, on):
    write(root / machine.SECURE_BOOT, b"\x06\x00\x00\x00" + byte)
    assert machine.read(tools(), root)["secure_boot"] is on


def test_a_container_is_told_by_its_kind(root):
    assert machine.read(tools(**{"systemd-detect-virt": (0, "lxc\n")}), root)["container"] == "lxc"


def test_the_installed_driver_is_found_under_every_packagers_name(root):
    for path in (
        "6.12.1-amd64/updates/dkms/nvidia-current.ko.xz",
        "6.12.1-amd64/updates/dkms/nvidia-current-drm.ko.xz",
        "6.14.0-37-generic/kernel/nvidia-580srv-open/nvidia.ko.zst",
        "6.14.0-38-generic/kernel/drivers/video/fbdev/nvidia/nvidiafb.ko",
    ):
        write(root / "lib/modules" / path)
    found = machine.read(tools(modinfo=(0, "580.95.05\n")), root)["modules"]
    assert found == dict.fromkeys(["6.12.1-amd64", "6.14.0-37-generic"], "580.95.05")


def test_what_is_loaded_built_and_installed_is_found(root):
    write(root / "sys/module/nvidia/version", "550.163.01\n")
    write(root / f"lib/modules/{KERNEL}/build/Makefile")
    write(root / f"lib/modules/{KERNEL}/kernel/drivers/gpu/drm/amd/amdgpu/amdgpu.ko.zst")
    for name in ("nvidia0", "nvidiactl", "kfd", "null"):
        write(root / "dev" / name)
    listing = "ii  nvidia-smi 550.163.01-2\nrc  nvidia-kernel-dkms 535.1-1\nhi  pciutils 1:3.13.0-2\n"
    said = {"dpkg-query": (0, listing), "mokutil": (1, "/var/lib/dkms/mok.pub is already enrolled\n")}
    facts = machine.read(tools(**said, **{"rocm-smi": (0, "")}), root)
    assert (facts["loaded"], facts["headers"], facts["amdgpu"]) == ("550.163.01", True, True)
    assert (facts["nodes"], facts["tools"], facts["key_enrolled"]) == (["kfd", "nvidia0"], ["amd"], True)
    assert facts["packages"] == {"nvidia-smi": "550.163.01-2", "pciutils": "1:3.13.0-2"}


@pytest.mark.parametrize(
    ("name", "text", "copy"),
    [
        (
            "sources.list",
            "#\ndeb http://m trixie main\ndeb [signed-by=/k] http://m trixie-updates main\ndeb http://o x\n",
            "deb http://m trixie NEW\ndeb [signed-by=/k] http://m trixie-updates NEW\n",
        ),
        ("debian.sources", "Components: main\nSigned-By: /k\n", "Components: NEW\nSigned-By: /k\n"),
    ],
)  # fmt: skip
def test_the_distributions_own_source_is_copied_with_further_components(root, name, text, copy):
    write(root / "etc/apt" / name, text)
    targets = f"stable main /etc/apt/other.list:1 Other\ntrixie main /etc/apt/{name}:1 Debian\n"
    found = machine.read(tools(**{"apt-get": (0, targets)}), root)["source"]
    dest = f"/etc/apt/sources.list.d/hal-gpu.{name.rpartition('.')[2]}"
    assert found["nvidia"] == {"dest": dest, "content": copy.replace("NEW", OURS)}
    assert found["amd"]["content"] == copy.replace("NEW", "non-free-firmware")
    targets += "".join(f"trixie {component} /etc/apt/{name}:1 Debian\n" for component in OURS.split())
    assert machine.read(tools(**{"apt-get": (0, targets)}), root)["source"] == {"nvidia": {}, "amd": {}}


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
    said = f"cpu_cores_count 0\nlocation_id {location}\ndomain 0\ngfx_target_version {version}\n"
    write(root / "sys/class/kfd/kfd/topology/nodes/1/properties", said)
    assert rocm_smi.compute_targets(root) == expected
