"""What the model is computed on: an NVIDIA GPU where there is one that works, or else the processor.

CUDA's libraries are wheels beside the service's own packages, where the dynamic loader does not look for
them. What is loaded already it finds by its name, so that they are loaded before CTranslate2 asks for them.
"""

from __future__ import annotations

import ctypes
import importlib.util
from pathlib import Path

import ctranslate2  # type: ignore[import-untyped]  # it ships no types

ROOT = Path("/")
# In the order in which they need one another. libnvblas is there, too, for programs that know no CUDA.
LIBRARIES = ("cuda_nvrtc/lib/libnvrtc.so.*", "cublas/lib/libcublas*.so.*", "cudnn/lib/libcudnn*.so.*")
_NVIDIA = "0x10de"
_DISPLAYS = ("0x0300", "0x0302", "0x1200")
_PASSED_THROUGH = "vfio-pci"  # the driver of a GPU that belongs to a guest of the host


def has_gpu() -> bool:
    """Return whether an NVIDIA GPU is in this host or handed in to it, whether or not its driver works."""
    if (ROOT / "dev/nvidiactl").exists():
        return True
    for device in (ROOT / "sys/bus/pci/devices").glob("*"):
        kind, vendor = ((device / field).read_text().strip() for field in ("class", "vendor"))
        driver = (device / "driver").resolve().name
        if vendor == _NVIDIA and kind.startswith(_DISPLAYS) and driver != _PASSED_THROUGH:
            return True
    return False


def load_libraries() -> list[Path]:
    """Load CUDA's libraries from the wheels that are installed beside this program, and return them.

    Raises:
        OSError: one cannot be loaded, or there are none; the text says which.
    """
    package = importlib.util.find_spec("nvidia")
    roots = [Path(root) for root in (package and package.submodule_search_locations) or ()]
    libraries = [library for name in LIBRARIES for root in roots for library in sorted(root.glob(name))]
    if not libraries:
        raise OSError("CUDA's libraries are not installed beside it (requirements/speech-cuda.txt)")
    for library in libraries:
        ctypes.CDLL(str(library))
    return libraries


def why_not_cuda() -> str:
    """Load what CUDA needs and return why it cannot be used; nothing when it can."""
    try:
        load_libraries()
    except OSError as error:
        return str(error)
    try:
        devices = ctranslate2.get_cuda_device_count()
    except RuntimeError as error:
        return str(error)
    return (
        ""
        if devices
        else "CUDA finds no device: its driver does not work, or waits for a restart of the host"
    )
