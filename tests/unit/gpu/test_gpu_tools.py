"""What the drivers' tools print is read right. The samples are constructed: tests/data/gpu/README.md."""

from __future__ import annotations

import pytest
from ansible.module_utils.gpu import lspci, nvidia_smi, rocm_smi
from tests.unit.gpu.conftest import SAMPLES


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def test_lspci_lists_display_controllers_and_nothing_else():
    (gpu,) = lspci.parse(sample("ada_nouveau.lspci"))
    assert gpu == {
        "slot": "0000:01:00.0",
        "vendor": "nvidia",
        "id": "10de:2684",
        "name": "AD102 [GeForce RTX 4090]",
        "driver": "nouveau",
    }


def test_a_name_with_brackets_keeps_them():
    assert [gpu["name"] for gpu in lspci.parse(sample("two_nvidia.lspci"))] == [
        "GA102 [GeForce RTX 3090]",
        "GP102GL [Tesla P40]",
    ]


def test_a_driver_is_not_taken_from_the_next_device():
    assert lspci.parse(sample("ada.lspci"))[0]["driver"] == ""


def test_without_lspci_the_kernel_lists_the_same(tmp_path):
    devices, driver = tmp_path / "sys/bus/pci/devices", tmp_path / "sys/bus/pci/drivers/nouveau"
    driver.mkdir(parents=True)
    for slot, kind in (("0000:00:1f.6", "0x020000"), ("0000:01:00.0", "0x030000")):
        (devices / slot).mkdir(parents=True)
        for name, value in (("class", kind), ("vendor", "0x10de"), ("device", "0x2684")):
            (devices / slot / name).write_text(f"{value}\n")
        (devices / slot / "driver").symlink_to(driver)
    (gpu,) = lspci.from_sysfs(tmp_path)
    assert gpu | {"name": "AD102 [GeForce RTX 4090]"} == lspci.parse(sample("ada_nouveau.lspci"))[0]


def test_csv_and_xml_of_nvidia_smi_say_the_same():
    from_csv, from_xml = (
        nvidia_smi.parse_csv(sample("nvidia-smi.csv")),
        nvidia_smi.parse_xml(sample("nvidia-smi.xml")),
    )
    assert from_csv == from_xml
    assert from_csv[0] == {
        "slot": "0000:01:00.0",
        "name": "NVIDIA GeForce RTX 4090",
        "uuid": "GPU-6f9f2e5c-3a7e-4c1c-9d0b-1f2d3c4b5a69",
        "driver": "580.95.05",
        "memory_mib": 24564.0,
        "memory_used_mib": 1817.0,
        "temperature_c": 41.0,
        "utilization_percent": 3.0,
        "power_w": 21.44,
        "power_limit_w": 450.0,
        "persistence": True,
    }


def test_what_a_gpu_does_not_report_is_none():
    gpu = nvidia_smi.parse_csv(sample("nvidia-smi.csv"))[1]
    assert (gpu["utilization_percent"], gpu["power_w"], gpu["persistence"]) == (None, None, False)


def test_numbers_may_carry_their_units():
    line = "00000000:01:00.0, A, GPU-1, 550.163.01, 24564 MiB, 1 MiB, 41, 3 %, 21.44 W, 450.00 W, Enabled"
    assert nvidia_smi.parse_csv(line)[0]["memory_mib"] == 24564


@pytest.mark.parametrize(
    "text",
    [
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.",
        "Failed to initialize NVML: Driver/library version mismatch",
    ],
)
def test_an_error_of_nvidia_smi_is_passed_on(text):
    for parse in (nvidia_smi.parse_csv, nvidia_smi.parse_xml):
        with pytest.raises(nvidia_smi.SmiError, match=text[:30]):
            parse(text)


def test_rocm_smi_is_read_behind_its_warnings():
    (gpu,) = rocm_smi.parse(sample("rocm-smi-6.json"))
    assert gpu == {
        "slot": "0000:03:00.0",
        "name": "Radeon RX 7900 XTX",
        "target": "gfx1100",
        "memory_mib": 24560.0,
        "memory_used_mib": 1024.0,
        "temperature_c": 45.0,
        "utilization_percent": 0.0,
        "power_w": 18.0,
        "driver": "6.12.117+deb13-amd64",
    }


def test_an_older_rocm_smi_is_read_with_its_own_keys():
    first, second = rocm_smi.parse(sample("rocm-smi-5.json"))
    assert (first["slot"], first["name"], first["temperature_c"]) == (
        "0000:c1:00.0",
        "AMD INSTINCT MI250",
        39.0,
    )
    assert (first["power_w"], second["temperature_c"], second["memory_used_mib"]) == (None, None, 10.0)


@pytest.mark.parametrize("text", ["", "ERROR: no AMD GPUs", "WARNING {broken"])
def test_no_json_of_rocm_smi_is_an_error_with_its_words(text):
    with pytest.raises(rocm_smi.SmiError, match=text[:10] or "nothing"):
        rocm_smi.parse(text)


def test_the_processes_are_told_by_both_tools():
    first, second = nvidia_smi.parse_processes(sample("nvidia-smi.xml"))
    assert first == {
        "slot": "0000:01:00.0",
        "pid": 2345,
        "name": "/usr/local/bin/ollama",
        "memory_mib": 1330.0,
    }
    assert second["memory_mib"] is None
    assert rocm_smi.parse_processes(sample("rocm-smi-6.json")) == [
        {"slot": "", "pid": 2345, "name": "ollama", "memory_mib": 1024.0}
    ]
    assert rocm_smi.parse_processes(sample("rocm-smi-5.json")) == []
