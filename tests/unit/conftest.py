"""A fake Proxmox API for the tests of whatever speaks to one, sound in every container, and time."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest


class Fake:
    """The steering of the fake: `fake.fail(...)` calls `fail` there."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            assert self.process.stdin is not None and self.process.stdout is not None
            self.process.stdin.write(json.dumps([name, arguments, keywords]) + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
            assert answer, "the fake Proxmox API has ended"
            return json.loads(answer)

        return call


@pytest.fixture(scope="session")
def proxmox_certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pve")
    certificate, key = folder / "pve.crt", folder / "pve.key"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=pve"
    command += " -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE"
    command += f" -keyout {key} -out {certificate}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return certificate, key


@pytest.fixture(scope="session")
def proxmox(proxmox_certificate: tuple[Path, Path]) -> Iterator[Fake]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.unit.fakepve_process", *proxmox_certificate],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None and child.stdin is not None
        yield Fake(child, int(child.stdout.readline()))
        child.stdin.close()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let time pass in the running loop: `clock(seconds)`; its timers fire as they would."""
    loop = asyncio.get_running_loop()
    real, passed = loop.time, [0.0]
    monkeypatch.setattr(loop, "time", lambda: real() + passed[0])

    def pass_(seconds: float) -> None:
        passed[0] += seconds

    return pass_


@pytest.fixture(scope="session")
def encoded_sound() -> Callable[..., bytes]:
    """Make a second of a tone in a container: `encoded_sound("mp4", "aac", movflags="frag_keyframe")`."""
    import av  # noqa: PLC0415 (most tests need neither)
    import numpy as np  # noqa: PLC0415

    def encode(container: str, codec: str, rate: int = 48_000, **options: str) -> bytes:
        target = io.BytesIO()
        with av.open(target, "w", format=container, options=options) as output:
            stream = output.add_stream(codec, rate=rate, layout="mono")
            tone = (np.sin(np.arange(rate) * 0.05) * 9_000).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
            frame.sample_rate = rate
            resampler = av.AudioResampler(
                stream.format.name, "mono", rate, frame_size=stream.frame_size or None
            )
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                output.mux(stream.encode(piece))
            output.mux(stream.encode(None))
        return target.getvalue()

    return encode
