"""Which driver machines of every shape get. The samples are constructed: see tests/data/gpu/README.md."""

from __future__ import annotations

import pytest
from tests.unit.gpu.conftest import FOR_OLLAMA, SYSTEMS, UBUNTU

KERNEL = SYSTEMS["debian"]["kernel"]
OURS = [
    "linux-headers-amd64",
    "nvidia-kernel-dkms",
    "libcuda1",
    "libnvidia-ml1",
    "libnvidia-cfg1",
    "nvidia-smi",
    "nvidia-persistenced",
    "pciutils",
]


def installed(*names: str, version: str = "550.163.01-2") -> dict[str, str]:
    return SYSTEMS["debian"]["packages"] | dict.fromkeys(names, version)


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("no_gpu", "There is no GPU"),
        ("vm_without", "no NVIDIA or AMD GPU"),
        ("intel", "no NVIDIA or AMD GPU"),
        ("kepler", "(Kepler), whose last branch is 470, while 550 is asked for"),
        ("amd_unsupported", "ROCm does not support Ellesmere"),
        ("future", "in no table, so no driver is guessed"),
        ("ada_passed_through", "passed through to a guest"),
    ],
)
def test_nothing_is_installed_where_nothing_is_supported(decide, sample, reason):
    answer = decide(sample, minimum_branches=FOR_OLLAMA)
    assert answer["outcome"] == "none"
    assert reason in answer["message"]
    assert answer["packages"] == answer["kernel_packages"] == answer["absent"] == []
    assert not answer["reboot"]


def test_debian_gets_proprietary_modules_while_its_branch_finishes_open_ones_for_data_centres_only(decide):
    answer = decide("ada", minimum_branches=FOR_OLLAMA)
    assert (answer["outcome"], answer["branch"], answer["kernel_modules"]) == ("install", 550, "proprietary")
    assert answer["packages"] == OURS
    assert answer["components"] == ["contrib", "non-free", "non-free-firmware"]
    assert (answer["count"], answer["reboot"]) == (1, "")
    assert answer["gpus"][0]["family"] == "Ada"


def test_ubuntu_gets_its_signed_open_modules_for_the_kernel_it_follows(decide):
    answer = decide("ada", "ubuntu", minimum_branches=FOR_OLLAMA)
    assert (answer["branch"], answer["kernel_modules"]) == (580, "signed open")
    assert answer["packages"] == [
        "linux-modules-nvidia-580-server-open-generic-hwe-24.04",
        "nvidia-headless-no-dkms-580-server-open",
        "nvidia-utils-580-server",
        "pciutils",
    ]
    assert answer["components"] == []


@pytest.mark.parametrize("sample", ["pascal", "maxwell"])
def test_older_gpus_get_proprietary_modules_of_a_branch_that_has_them(decide, sample):
    answer = decide(sample, "ubuntu", minimum_branches=FOR_OLLAMA)
    assert (answer["branch"], answer["kernel_modules"]) == (580, "signed proprietary")
    assert "linux-modules-nvidia-580-server-generic-hwe-24.04" in answer["packages"]


def test_the_data_centre_gets_both_its_gpus_counted(decide):
    answer = decide("ampere_data_centre", "ubuntu")
    assert (answer["count"], answer["kernel_modules"]) == (2, "signed open")


def test_too_old_a_branch_for_what_runs_on_the_gpu_names_the_repository_that_has_another(decide):
    answer = decide("pascal", minimum_branches=FOR_OLLAMA)
    assert answer["outcome"] == "refused"
    assert "Set gpu_driver_repository: nvidia" in answer["message"]
    other = decide("pascal", minimum_branches=FOR_OLLAMA, repository="nvidia")
    assert (other["outcome"], other["branch"], other["kernel_modules"]) == ("install", 580, "proprietary")


def test_blackwell_is_too_new_for_debian_and_never_gets_proprietary_modules(decide):
    assert "Set gpu_driver_repository: nvidia" in decide("blackwell")["message"]
    assert decide("blackwell", repository="nvidia")["kernel_modules"] == "open"
    refused = decide("blackwell", "ubuntu", kernel_modules="proprietary")
    assert refused["outcome"] == "refused"
    assert "no proprietary kernel modules for GB202 [GeForce RTX 5090]" in refused["message"]


def test_two_generations_share_the_proprietary_modules(decide):
    answer = decide("two_nvidia", "ubuntu")
    assert (answer["count"], answer["kernel_modules"]) == (2, "signed proprietary")


def test_two_generations_without_a_common_driver_are_refused_by_name(decide):
    answer = decide("pascal_and_blackwell", "ubuntu")
    assert answer["outcome"] == "refused"
    assert "GTX 1080" in answer["message"] and "RTX 5090" in answer["message"]
    assert "take one out" in answer["message"]


def test_an_unknown_gpu_is_left_out_beside_a_known_one(decide):
    answer = decide("future_and_ada")
    assert (answer["outcome"], answer["count"]) == ("install", 1)
    assert "Left out: Device [10de:3fff], which is in no table" in answer["message"]


def test_an_unknown_gpu_gets_what_a_person_decides(decide):
    answer = decide("future", "ubuntu", branch=580, kernel_modules="open")
    assert (answer["outcome"], answer["branch"], answer["kernel_modules"]) == ("install", 580, "signed open")
    assert answer["count"] == 1


def test_the_processors_own_graphics_do_not_stand_in_the_way(decide):
    answer = decide("ryzen_and_ada", "ubuntu")
    assert (answer["vendor"], answer["outcome"], answer["count"]) == ("nvidia", "install", 1)


def test_rdna3_needs_only_firmware_and_tools(decide):
    answer = decide("rdna3", machine={"nodes": ["kfd"]})
    assert (answer["vendor"], answer["kernel_modules"]) == ("amd", "in-kernel")
    assert answer["packages"] == ["firmware-amd-graphics", "rocm-smi", "rocminfo", "pciutils"]
    assert answer["components"] == ["non-free-firmware"]
    assert not answer["reboot"]


def test_amd_without_its_firmware_is_restarted_with_it(decide):
    assert "/dev/kfd" in decide("rdna3")["reboot"]


def test_an_accelerator_without_a_display_counts(decide):
    assert decide("instinct", "ubuntu", machine={"nodes": ["kfd"]})["count"] == 1


def test_the_driver_knows_the_target_of_a_gpu_that_no_table_knows(decide):
    known = decide("amd_unsupported", machine={"targets": {"0000:03:00.0": "gfx1100"}, "nodes": ["kfd"]})
    assert known["outcome"] == "install"


def test_a_close_target_is_named(decide):
    assert "HSA_OVERRIDE_GFX_VERSION: 10.3.0" in decide("amd_override")["message"]


@pytest.mark.parametrize(
    ("sample", "machine", "hint"),
    [
        ("vm_without", {"vm": "kvm"}, "hostpci0"),
        ("no_gpu", {}, "`lspci -nn`"),
        ("kepler", {}, "gpu_driver_vendor: none"),
        ("no_gpu", {"container": "lxc"}, "Hand the GPU in to the container"),
    ],
)
def test_a_gpu_that_is_demanded_and_not_there_is_refused_with_what_to_do(decide, sample, machine, hint):
    answer = decide(sample, machine=machine, vendor="nvidia", minimum_branches=FOR_OLLAMA)
    assert answer["outcome"] == "refused"
    assert hint in answer["message"]


def test_amd_is_not_taken_for_a_demanded_nvidia(decide):
    assert decide("rdna3", vendor="nvidia")["outcome"] == "refused"


def test_a_virtual_machine_with_the_gpu_is_like_any_other(decide):
    assert decide("vm_passthrough", machine={"vm": "kvm"}, vendor="nvidia")["packages"] == OURS


def test_a_container_installs_no_driver_and_uses_the_device_that_is_handed_in(decide):
    nothing = decide("ada", machine={"container": "podman"})
    assert nothing["outcome"] == "none"
    given = decide("ada", machine={"container": "lxc", "nodes": ["nvidia0", "nvidia1"]})
    assert (given["outcome"], given["vendor"], given["count"]) == ("keep", "nvidia", 2)
    assert given["packages"] == []


def test_secure_boot_refuses_modules_that_the_host_builds_and_takes_signed_ones(decide):
    refused = decide("ada", machine={"secure_boot": True})
    assert refused["outcome"] == "refused"
    assert "mokutil --import" in refused["message"]
    assert decide("ada", machine={"secure_boot": True, "mok_enrolled": True})["outcome"] == "install"
    assert decide("ada", "ubuntu", machine={"secure_boot": True})["outcome"] == "install"


def test_secure_boot_does_not_stand_in_the_way_of_a_driver_that_runs(decide):
    running = {
        "secure_boot": True,
        "loaded": "550.163.01",
        "modules": {KERNEL: "550.163.01"},
        "packages": installed(*OURS),
    }
    assert decide("ada_nvidia", machine=running)["outcome"] == "install"


def test_a_foreign_kernel_gets_built_modules_and_headers_of_its_own(decide):
    answer = decide("ada", "ubuntu", machine={"kernel": "6.17.2-custom", "secure_boot": False})
    assert answer["kernel_modules"] == "open"
    assert answer["packages"][:2] == ["linux-headers-6.17.2-custom", "nvidia-headless-580-server-open"]
    assert answer["kernel_packages"] == []


def test_missing_headers_bring_the_kernel_up_to_date_first(decide):
    assert decide("ada", machine={"headers": False})["kernel_packages"] == [
        "linux-image-amd64",
        "linux-headers-amd64",
    ]


def test_a_driver_that_works_is_kept_whoever_installed_it(decide):
    machine = {"loaded": "570.133.07", "modules": {"6.14.0-37-generic": "570.133.07"}}
    answer = decide("ada_nvidia", "ubuntu", machine=machine, minimum_branches=FOR_OLLAMA)
    assert (answer["outcome"], answer["branch"], answer["packages"]) == ("keep", 570, [])
    assert "570.133.07 is loaded and is kept" in answer["message"]
    replaced = decide("ada_nvidia", "ubuntu", machine=machine, keep_working=False)
    assert (replaced["outcome"], replaced["branch"]) == ("install", 580)


def test_a_driver_that_works_is_kept_on_a_distribution_without_one(decide):
    fedora = UBUNTU | {"id": "fedora-43", "family": "fedora", "name": "Fedora Linux 43"}
    machine = {"loaded": "580.95.05", "distribution": fedora}
    assert decide("ada_nvidia", machine=machine)["outcome"] == "keep"
    refused = decide("ada", machine=machine | {"loaded": ""})
    assert refused["outcome"] == "refused"
    assert "Fedora Linux 43" in refused["message"]


def test_a_driver_that_is_too_old_is_replaced_and_the_restart_foreseen(decide):
    names = [
        "nvidia-headless-no-dkms-535-server",
        "nvidia-utils-535-server",
        "linux-modules-nvidia-535-generic",
    ]
    machine = {
        "loaded": "535.274.02",
        "modules": {"6.14.0-37-generic": "580.95.05"},
        "packages": SYSTEMS["ubuntu"]["packages"] | dict.fromkeys(names, "535.274.02-0ubuntu1"),
    }
    answer = decide("ada_nvidia", "ubuntu", machine=machine, minimum_branches=FOR_OLLAMA)
    assert (answer["outcome"], answer["branch"]) == ("install", 580)
    assert answer["reboot"] == "535.274.02 is loaded, 580.95.05 is installed"
    assert answer["absent"] == sorted(names)


def test_our_own_driver_is_kept_complete_and_nothing_else_happens(decide):
    machine = {
        "loaded": "550.163.01",
        "modules": {KERNEL: "550.163.01"},
        "packages": installed(*OURS),
        "components": ["contrib", "main", "non-free", "non-free-firmware"],
    }
    answer = decide("ada_nvidia", machine=machine)
    assert (answer["outcome"], answer["missing"], answer["absent"]) == ("install", [], [])
    assert (answer["reboot"], answer["load"], answer["components"]) == ("", "", [])


def test_nouveau_must_let_go_of_the_gpu(decide):
    assert decide("ada_nouveau")["reboot"].startswith("nouveau holds AD102 [GeForce RTX 4090]")


def test_a_driver_that_nobody_holds_back_is_loaded_without_a_restart(decide):
    machine = {"modules": {KERNEL: "550.163.01"}, "packages": installed(*OURS)}
    answer = decide("ada", machine=machine)
    assert (answer["load"], answer["reboot"]) == ("nvidia", "")


def test_a_driver_built_for_another_kernel_needs_that_kernel(decide):
    answer = decide("ada", machine={"modules": {"6.12.120+deb13-amd64": "550.163.01"}})
    assert answer["reboot"] == f"the driver is built for kernel 6.12.120+deb13-amd64, and {KERNEL} runs"


def test_a_branch_that_is_named_is_taken_and_the_other_one_goes(decide):
    answer = decide("ada", branch=535, machine={"packages": installed(*OURS)})
    assert answer["branch"] == 535
    assert "nvidia-tesla-535-kernel-dkms" in answer["packages"]
    assert answer["absent"] == sorted(
        ["nvidia-kernel-dkms", "libcuda1", "libnvidia-cfg1", "libnvidia-ml1", "nvidia-smi"]
    )


def test_another_branch_of_ubuntu_replaces_the_packages_that_carry_the_first_in_their_names(decide):
    names = ["linux-modules-nvidia-580-server-open-generic", "nvidia-headless-no-dkms-580-server-open"]
    packages = SYSTEMS["ubuntu"]["packages"] | dict.fromkeys(names, "580.178.04-0ubuntu0.24.04.1")
    answer = decide("ada", "ubuntu", branch=595, machine={"packages": packages})
    assert "linux-modules-nvidia-595-open-generic-hwe-24.04" in answer["packages"]
    assert answer["absent"] == names


def test_a_branch_that_cannot_be_had_is_refused_with_those_that_can(decide):
    answer = decide("ada", branch=999)
    assert answer["outcome"] == "refused"
    assert "Branch 999" in answer["message"] and "550, 535" in answer["message"]


def test_nvidias_own_packages_go_back_to_the_branch_that_is_named(decide):
    packages = installed("nvidia-driver-cuda", "nvidia-kernel-open-dkms", version="595.45.04-1")
    packages["nvidia-driver-pinning-595"] = "595"
    answer = decide("blackwell", repository="nvidia", branch=580, machine={"packages": packages})
    assert "nvidia-driver-cuda=580.*" in answer["packages"]
    assert "nvidia-driver-pinning-580" in answer["packages"]
    assert answer["absent"] == ["nvidia-driver-pinning-595"]


def test_vendor_none_leaves_the_host_alone(decide):
    assert decide("ada", vendor="none")["outcome"] == "none"
