"""What the drivers' tools print is read right. The samples are constructed: see tests/data/gpu/README.md."""

from __future__ import annotations

import pytest
from ansible.module_utils.gpu import nvidia_smi, rocm_smi
from tests.unit.gpu.conftest import SAMPLES

OLLAMA = {"pid": 2345, "name": "/usr/local/bin/ollama", "memory_mib": 1330.0}


def sample(name: str) -> str:
    return (SAMPLES / name).read_text()


def test_nvidia_smi_describes_its_gpus_and_what_one_does_not_report_is_none():
    first, second = nvidia_smi.parse(sample("nvidia-smi.csv"))
    assert first == {
        "slot": "0000:01:00.0",
        "name": "NVIDIA GeForce RTX 4090",
        "driver": "580.95.05",
        "memory_mib": 24564.0,
        "memory_used_mib": 1817.0,
        "temperature_c": 41.0,
        "utilization_percent": 3.0,
        "power_w": 21.44,
    }
    assert (second["utilization_percent"], second["power_w"]) == (None, None)


def test_the_processes_are_told_by_both_tools():
    said = "00000000:01:00.0, 2345, /usr/local/bin/ollama, 1330\n00000000:02:00.0, 2401, python, [N/A]\n"
    first, second = nvidia_smi.parse_processes(said)
    assert first == OLLAMA | {"slot": "0000:01:00.0"}
    assert second["memory_mib"] is None
    assert nvidia_smi.parse_processes("") == rocm_smi.parse_processes(sample("rocm-smi-5.json")) == []
    assert rocm_smi.parse_processes(sample("rocm-smi-6.json")) == [
        OLLAMA | {"slot": "", "name": "ollama", "memory_mib": 1024.0}
    ]


def test_an_error_of_nvidia_smi_is_passed_on():
    text = "Failed to initialize NVML: Driver/library version mismatch"
    for parse in (nvidia_smi.parse, nvidia_smi.parse_processes):
        with pytest.raises(nvidia_smi.SmiError, match=text):
            parse(text)


def test_rocm_smi_is_read_behind_its_warnings():
    (gpu,) = rocm_smi.parse(sample("rocm-smi-6.json"))
    assert gpu == {
        "slot": "0000:03:00.0",
        "name": "Radeon RX 7900 XTX",
        "memory_mib": 24560.0,
        "memory_used_mib": 1024.0,
        "temperature_c": 45.0,
        "utilization_percent": 0.0,
        "power_w": 18.0,
        "driver": "6.12.117+deb13-amd64",
    }


def test_an_older_rocm_smi_is_read_with_its_own_keys():
    first, second = rocm_smi.parse(sample("rocm-smi-5.json"))
    assert (first["slot"], first["name"], first["power_w"]) == ("0000:c1:00.0", "AMD INSTINCT MI250", None)
    assert (first["temperature_c"], second["temperature_c"]) == (39.0, None)


@pytest.mark.parametrize("text", ["", "ERROR: no AMD GPUs", "WARNING {broken"])
def test_no_json_of_rocm_smi_is_an_error_with_its_words(text):
    with pytest.raises(rocm_smi.SmiError, match=text[:10] or "nothing"):
        rocm_smi.parse(text)
