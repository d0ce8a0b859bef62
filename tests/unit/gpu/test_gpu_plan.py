"""Which driver machines of every shape get. The samples: tests/data/gpu/README.md."""

from __future__ import annotations

import pytest
from tests.unit.gpu.conftest import SYSTEMS

KERNEL = SYSTEMS["debian"]["kernel"]
DEBIAN = ["libcuda1", "libnvidia-ml1", "libnvidia-cfg1", "nvidia-smi", "nvidia-persistenced", "pciutils"]
OURS = ["linux-headers-amd64", "nvidia-kernel-dkms", *DEBIAN]
FEDORA = {"family": "fedora", "system": "Fedora 43"}
LOADED = {"loaded": "550.163.01", "modules": {KERNEL: "550.163.01"}}


def ubuntu(branch: str, kind: str) -> list[str]:
    flavour = f"{branch}-server{kind}"
    modules = [f"linux-modules-nvidia-{flavour}-generic", f"nvidia-headless-no-dkms-{flavour}"]
    return [*modules, f"nvidia-utils-{branch}-server", "pciutils"]


UBUNTU_595, UBUNTU_580 = ubuntu("595", "-open"), ubuntu("580", "")


def installed(*names: str) -> dict[str, str]:
    return SYSTEMS["debian"]["packages"] | dict.fromkeys(names, "550.163.01-2")


@pytest.mark.parametrize(
    ("system", "sample", "branch", "count", "packages"),
    [
        ("debian", "ada", 550, 1, OURS),
        ("debian", "vm_passthrough", 550, 1, OURS),
        ("debian", "ampere_data_centre", 550, 2, OURS),
        ("debian", "two_nvidia", 550, 1, OURS),
        ("debian", "future_and_ada", 550, 1, OURS),
        ("debian", "rdna3", 0, 1, ["firmware-amd-graphics", "rocm-smi", "rocminfo", "pciutils"]),
        ("ubuntu", "ada", 595, 1, UBUNTU_595),
        ("ubuntu", "ampere_data_centre", 595, 2, UBUNTU_595),
        ("ubuntu", "blackwell", 595, 1, UBUNTU_595),
        ("ubuntu", "ryzen_and_ada", 595, 1, UBUNTU_595),
        ("ubuntu", "maxwell", 580, 1, UBUNTU_580),
        ("ubuntu", "pascal", 580, 1, UBUNTU_580),
        ("ubuntu", "two_nvidia", 580, 2, UBUNTU_580),
        ("ubuntu", "instinct", 0, 1, ["linux-firmware", "rocm-smi", "rocminfo", "pciutils"]),
    ],
)
def test_every_gpu_gets_what_its_distribution_prefers_and_ollama_can_use(
    decide, system, sample, branch, count, packages
):
    answer = decide(sample, system)
    assert (answer["outcome"], answer["branch"], answer["count"]) == ("install", branch, count)
    assert answer["packages"] == packages
    assert answer["missing"] == sorted(packages)
    assert not answer["reboot"]


@pytest.mark.parametrize(
    ("system", "sample", "reason"),
    [
        ("debian", "no_gpu", "There is no GPU"),
        ("debian", "vm_without", "no NVIDIA or AMD GPU"),
        ("debian", "intel", "no NVIDIA or AMD GPU"),
        ("debian", "kepler", "GTX 680] [10de:1180], for which nvidia-detect knows no driver"),
        ("ubuntu", "kepler", "ubuntu-drivers offers 470, while at least 550 is asked for"),
        ("debian", "pascal", "nvidia-detect offers 550, 535, while at least 570 is asked for"),
        ("debian", "blackwell", "One that is installed by hand is kept"),
        ("ubuntu", "future", "ubuntu-drivers knows no driver"),
        ("debian", "ada_passed_through", "passed through to a guest"),
        ("debian", "amd_unsupported", "ROCm does not support Ellesmere"),
        ("debian", "amd_override", "HSA_OVERRIDE_GFX_VERSION: 10.3.0"),
        ("ubuntu", "radeon", "has the driver radeon"),
    ],
)
def test_nothing_is_installed_where_nothing_is_supported(decide, system, sample, reason):
    answer = decide(sample, system)
    assert answer["outcome"] == "none"
    assert reason in answer["message"]
    assert answer["packages"] == answer["kernel_packages"] == answer["absent"] == []
    assert not answer["reboot"]


@pytest.mark.parametrize(
    ("sample", "system", "wishes", "reason"),
    [
        ("pascal_and_blackwell", "ubuntu", {}, "no one driver for all of GP104 [GeForce GTX 1080]"),
        ("blackwell", "ubuntu", {"kernel_modules": "proprietary"}, "with proprietary kernel modules"),
        ("pascal", "debian", {"kernel_modules": "open", "minimum_branches": {}}, "Set gpu_driver_branch and"),
        ("ada", "debian", {"branch": 999}, "offers 550, 535, while branch 999 is asked for"),
        ("vm_without", "debian", {"vendor": "nvidia"}, "(hostpci0 on Proxmox VE)"),
        ("kepler", "debian", {"vendor": "nvidia"}, "Or do without one: gpu_driver_vendor: none"),
        ("no_gpu", "debian", {"vendor": "amd", "machine": {"container": "lxc"}}, "that are handed in to it"),
        ("rdna3", "debian", {"vendor": "nvidia"}, "demands nvidia"),
        ("rdna3_idle", "debian", {"machine": {"amdgpu": False}}, "Kernel 6.12.117+deb13-amd64 has no amdgpu"),
        ("ada", "debian", {"machine": FEDORA}, "Fedora 43 has no known driver"),
        ("rdna3", "debian", {"machine": FEDORA}, "Fedora 43 is not supported"),
    ],
)  # fmt: skip
def test_what_a_person_can_mend_is_refused_with_what_to_do(decide, sample, system, wishes, reason):
    answer = decide(sample, system, **wishes)
    assert answer["outcome"] == "refused"
    assert reason in answer["message"]


def test_secure_boot_refuses_modules_that_the_host_builds_and_takes_signed_ones(decide):
    refused = decide("ada", machine={"secure_boot": True})
    assert refused["outcome"] == "refused"
    assert "mokutil --import /var/lib/dkms/mok.pub" in refused["message"]
    assert decide("ada", machine={"secure_boot": True, "key_enrolled": True})["outcome"] == "install"
    assert decide("ada", "ubuntu", machine={"secure_boot": True})["packages"] == UBUNTU_595
    own_kernel = "nvidia-driver-595-server-open\n"
    refused = decide("ada", "ubuntu", machine={"secure_boot": True}, run=lambda *_: (0, own_kernel))
    assert "update-secureboot-policy --new-key; mokutil --import /var/lib/shim-signed" in refused["message"]


def test_secure_boot_does_not_stand_in_the_way_of_a_driver_that_runs(decide):
    machine = LOADED | {"secure_boot": True}
    assert decide("ada_nvidia", machine=machine)["outcome"] == "keep"
    assert decide("ada_nvidia", machine=machine, keep_working=False)["outcome"] == "install"


def test_a_signed_module_is_taken_before_one_that_ubuntu_prefers_and_the_host_would_build(decide):
    assert decide("pascal", "ubuntu", minimum_branches={})["packages"] == UBUNTU_580


def test_a_kernel_for_which_ubuntu_signs_nothing_gets_built_modules_and_its_headers(decide):
    said = "nvidia-driver-595-server-open\n"
    answer = decide("ada", "ubuntu", machine={"kernel": "6.17.2-custom"}, run=lambda *_: (0, said))
    assert answer["packages"][:2] == ["linux-headers-6.17.2-custom", "nvidia-dkms-595-server-open"]
    assert answer["kernel_packages"] == []
    machine = {"packages": {"linux-image-virtual-hwe-24.04": "7.0"}}
    answer = decide("ada", "ubuntu", machine=machine, run=lambda *_: (0, said))
    assert answer["packages"][0] == "linux-headers-virtual-hwe-24.04"


def test_missing_headers_bring_the_kernel_up_to_date_first(decide):
    answer = decide("ada", machine={"headers": False})
    assert answer["kernel_packages"] == ["linux-image-amd64", "linux-headers-amd64"]


def test_a_driver_that_works_is_kept_whoever_installed_it_and_no_tool_is_asked(decide):
    machine = {"loaded": "570.133.07", "modules": {"6.8.0-151-generic": "570.133.07"}, "family": "fedora"}
    answer = decide("ada_nvidia", "ubuntu", machine=machine, run=None)
    assert (answer["outcome"], answer["branch"], answer["packages"]) == ("keep", 570, [])
    assert "570.133.07 is loaded and is kept" in answer["message"]
    replaced = decide("ada_nvidia", "ubuntu", machine=machine | {"family": "ubuntu"}, keep_working=False)
    assert (replaced["outcome"], replaced["branch"]) == ("install", 595)


def test_a_gpu_that_the_kept_driver_does_not_drive_is_left_out(decide):
    answer = decide("kepler_and_ada", machine=LOADED, run=None)
    assert (answer["outcome"], answer["count"], answer["reboot"]) == ("keep", 1, "")
    assert "Left out: GK104 [GeForce GTX 680] [10de:1180]" in answer["message"]


def test_the_tool_is_asked_only_where_it_may_be_and_its_absence_is_said(decide):
    assert decide("ada", choose=False, run=None)["outcome"] == "ask"
    answer = decide("ada", run=lambda *_: (127, ""))
    assert (answer["outcome"], answer["packages"]) == ("ask", [])
    assert "nvidia-detect failed or is not installed" in answer["message"]
    assert "E: no lists" in decide("ada", "ubuntu", run=lambda *_: (0, "E: no lists"))["message"]


def test_a_driver_that_is_too_old_is_replaced_and_the_restart_foreseen(decide):
    names = [
        "nvidia-headless-no-dkms-535-server",
        "nvidia-utils-535-server",
        "linux-modules-nvidia-535-generic",
    ]
    machine = {
        "loaded": "535.274.02",
        "modules": {"6.8.0-151-generic": "595.91.07"},
        "packages": dict.fromkeys(names, "535.274.02-0ubuntu1"),
    }
    answer = decide("ada_nvidia", "ubuntu", machine=machine)
    assert (answer["outcome"], answer["branch"]) == ("install", 595)
    assert answer["reboot"] == "535.274.02 is loaded, 595.91.07 is installed"
    assert answer["absent"] == sorted(names)


def test_a_driver_that_was_upgraded_under_a_running_one_is_kept_with_a_restart(decide):
    answer = decide("ada_nvidia", machine={"loaded": "550.90.07", "modules": {KERNEL: "550.163.01"}})
    assert (answer["outcome"], answer["reboot"]) == ("keep", "550.90.07 is loaded, 550.163.01 is installed")


@pytest.mark.parametrize(
    ("sample", "machine", "reboot", "load"),
    [
        ("ada_nouveau", {}, "nouveau holds AD102 [GeForce RTX 4090] [10de:2684]", ""),
        ("ada", {"modules": {KERNEL: "550.163.01"}}, "", "nvidia"),
        ("ada", {"modules": {"6.12.9": "550.1"}}, "the driver is built for kernel 6.12.9, and", ""),
        ("rdna3_idle", {"amdgpu_loaded": False}, "", "amdgpu"),
        ("rdna3_idle", {}, "amdgpu does not drive Navi 31", ""),
    ],
)
def test_a_driver_that_nobody_holds_back_is_loaded_and_any_other_needs_a_restart(
    decide, sample, machine, reboot, load
):
    answer = decide(sample, machine=machine)
    assert answer["reboot"].startswith(reboot) and bool(answer["reboot"]) == bool(reboot)
    assert answer["load"] == load


def test_a_branch_that_is_named_is_taken_and_the_other_one_goes(decide):
    answer = decide("ada", branch=535, minimum_branches={}, machine={"packages": installed(*OURS)})
    assert "nvidia-tesla-535-kernel-dkms" in answer["packages"]
    assert answer["absent"] == sorted(set(OURS) - {"linux-headers-amd64", "nvidia-persistenced", "pciutils"})
    names = ["linux-modules-nvidia-595-server-open-generic", "nvidia-headless-no-dkms-595-server-open"]
    answer = decide("ada", "ubuntu", branch=580, machine={"packages": dict.fromkeys(names, "595.91.07")})
    assert "linux-modules-nvidia-580-server-open-generic" in answer["packages"]
    assert answer["absent"] == names
    assert decide("ada", kernel_modules="open")["packages"][1] == "nvidia-open-kernel-dkms"


def test_a_cloud_kernel_without_amdgpu_gets_the_one_with_all_modules(decide):
    machine = {"amdgpu": False, "packages": {"linux-image-virtual": "6.8.0-151.151"}}
    answer = decide("rdna3_idle", "ubuntu", machine=machine)
    assert "linux-image-generic" in answer["packages"]
    assert answer["reboot"] == "kernel 6.8.0-151-generic has no amdgpu"


def test_a_container_installs_no_driver_and_uses_the_device_that_is_handed_in(decide):
    assert decide("ada", machine={"container": "podman"})["outcome"] == "none"
    given = decide("ada", machine={"container": "lxc", "nodes": ["nvidia0", "nvidia1"]})
    assert (given["outcome"], given["vendor"], given["count"]) == ("keep", "nvidia", 2)
    assert given["packages"] == []


def test_vendor_none_leaves_the_host_alone(decide):
    assert decide("ada", vendor="none")["outcome"] == "none"
