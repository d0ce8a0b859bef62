"""On what the model is computed: the GPU where it works, and otherwise a reason."""

from __future__ import annotations

import ctypes
import importlib.util
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from hal.speech import device, transcriber
from hal.speech.settings import SpeechSettings


@pytest.fixture
def host(tmp_path, monkeypatch):
    """A host without a GPU; `pci(vendor, driver)` adds a display controller."""
    monkeypatch.setattr(device, "ROOT", tmp_path)

    def pci(vendor: str, driver: str = "") -> None:
        place = tmp_path / "sys/bus/pci/devices/0000:01:00.0"
        place.mkdir(parents=True)
        (place / "class").write_text("0x030000\n")
        (place / "vendor").write_text(f"{vendor}\n")
        if driver:
            (tmp_path / driver).mkdir()
            (place / "driver").symlink_to(tmp_path / driver)

    return SimpleNamespace(root=tmp_path, pci=pci)


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """A directory of packages that CUDA's wheels could be installed in; only it is searched for them."""
    site = tmp_path / "site-packages"
    site.mkdir()
    spec = SimpleNamespace(submodule_search_locations=[str(site / "nvidia")])
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec if any(site.iterdir()) else None)
    return site


def library(site: Path, path: str, *needs: str) -> None:
    """Build a shared library that needs others of its directory, where it looks for them as CUDA's do."""
    place = site / "nvidia" / path
    place.parent.mkdir(parents=True, exist_ok=True)
    linked = [str(next(site.rglob(name))) for name in needs]
    command = [
        "cc",
        "-shared",
        "-x",
        "c",
        "/dev/null",
        "-x",
        "none",
        "-Wl,--no-as-needed",
        "-Wl,-rpath,$ORIGIN",
        *linked,
    ]
    subprocess.run([*command, f"-Wl,-soname,{place.name}", "-o", str(place)], check=True)


@pytest.mark.parametrize(
    ("vendor", "driver", "expected"),
    [
        ("0x10de", "nvidia", True),
        ("0x10de", "", True),
        ("0x10de", "vfio-pci", False),
        ("0x1002", "amdgpu", False),
    ],
)
def test_an_nvidia_gpu_is_seen_before_its_driver_works(host, vendor, driver, expected):
    assert not device.has_gpu()
    host.pci(vendor, driver)
    assert device.has_gpu() is expected


def test_a_gpu_that_is_handed_in_to_a_container_is_seen(host):
    (host.root / "dev").mkdir()
    (host.root / "dev/nvidiactl").touch()
    assert device.has_gpu()


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler builds the stand-ins here")
def test_libraries_of_the_wheels_are_loaded_so_that_others_find_them_by_name(wheels):
    library(wheels, "cublas/lib/libcublasLt.so.12")
    library(wheels, "cublas/lib/libcublas.so.12", "libcublasLt.so.12")
    library(wheels, "cublas/lib/libnvblas.so.12")
    library(wheels, "cudnn/lib/libcudnn.so.9")
    with pytest.raises(OSError, match="cannot open shared object file"):
        ctypes.CDLL("libcudnn.so.9")
    names = [path.name for path in device.load_libraries()]
    assert names == ["libcublas.so.12", "libcublasLt.so.12", "libcudnn.so.9"]
    for name in names:
        assert ctypes.CDLL(name)


@pytest.mark.parametrize(("content", "reason"), [(None, "speech-cuda.txt"), (b"rubbish", "libcublas.so.12")])
def test_libraries_that_are_missing_or_damaged_are_the_reason(wheels, content, reason):
    if content:
        place = wheels / "nvidia/cublas/lib/libcublas.so.12"
        place.parent.mkdir(parents=True)
        place.write_bytes(content)
    assert reason in device.why_not_cuda()


@pytest.mark.parametrize(
    ("devices", "reason"), [(0, "waits for a restart"), (1, ""), (RuntimeError("old"), "old")]
)
def test_a_driver_that_does_not_work_is_the_reason(monkeypatch, devices, reason):
    def count() -> int:
        if isinstance(devices, Exception):
            raise devices
        return devices

    monkeypatch.setattr(device, "load_libraries", list)
    monkeypatch.setattr(device.ctranslate2, "get_cuda_device_count", count)
    assert reason in device.why_not_cuda()
    assert bool(device.why_not_cuda()) is bool(reason)


@pytest.fixture
def whisper(monkeypatch):
    """Stand in for faster-whisper; what it cannot do on "cuda" stands in `cuda_fails`."""

    class Whisper:
        loaded: ClassVar[list[str]]
        cuda_fails = ""
        supported_languages = ("en",)
        feature_extractor = staticmethod(lambda samples: samples)

        def __init__(self, _: str, *, device: str, **__: object) -> None:
            self.loaded.append(device)
            self.model = SimpleNamespace(device=device)

        def encode(self, _: object) -> None:
            if self.cuda_fails:
                raise RuntimeError(self.cuda_fails)

    Whisper.loaded = []
    monkeypatch.setattr(transcriber, "WhisperModel", Whisper)
    monkeypatch.setattr(transcriber, "load_libraries", list)
    return Whisper


@pytest.mark.parametrize(
    ("gpu", "why", "fails", "loaded", "fallback"),
    [
        (False, "", "", ["cpu"], ""),
        (True, "", "", ["cuda"], ""),
        (True, "CUDA finds no device", "", ["cpu"], "CUDA finds no device"),
        (True, "", "CUDA out of memory", ["cuda", "cpu"], "CUDA out of memory"),
    ],
)
def test_auto_takes_a_gpu_that_computes_and_tells_why_not(
    monkeypatch, whisper, gpu, why, fails, loaded, fallback
):
    monkeypatch.setattr(transcriber, "has_gpu", lambda: gpu)
    monkeypatch.setattr(transcriber, "why_not_cuda", lambda: why)
    whisper.cuda_fails = fails
    heard = transcriber.WhisperTranscriber(SpeechSettings("m", device="auto", compute_type="auto"))
    assert (whisper.loaded, heard.device, heard.fallback) == (loaded, loaded[-1], fallback)


def test_a_gpu_that_is_demanded_is_not_gone_without(whisper):
    whisper.cuda_fails = "CUDA failed"
    with pytest.raises(RuntimeError, match="CUDA failed"):
        transcriber.WhisperTranscriber(SpeechSettings("m", device="cuda"))


async def test_health_tells_that_the_processor_computes_instead(in_process, transcriber):
    client = await in_process()
    assert "fallback" not in (await client.get("/health")).json()
    transcriber.fallback = "CUDA finds no device"
    for path in ("/", "/health"):
        assert (await client.get(path)).json()["fallback"] == "CUDA finds no device"
