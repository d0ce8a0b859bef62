"""What Proxmox gives a machine: a kernel, a boot loader and a disk of its own, and cloud-init's data."""

from __future__ import annotations

from tests.vm.conftest import ADDRESS, NAME

GIB = 2**30


def test_cloud_init_gives_the_machine_its_name_and_its_address(fresh):
    assert ADDRESS in fresh["address"] and f"{NAME}.hal.internal" in fresh["address"]


def test_the_root_file_system_takes_over_the_disk_that_has_grown(fresh):
    assert int(fresh["root"]) > 7 * GIB, "the image has 3 GiB, the disk 8"


def test_no_unit_of_the_image_fails(fresh):
    assert fresh["state"] == "running"
