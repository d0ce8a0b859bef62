"""Decodes recordings in processes of their own, whose memory, time and output have limits.

A file of a few kilobytes may claim to hold hours, and FFmpeg may have a fault that nobody knows yet. One
process has everything imported and forks another for each recording, which is faster than a start of Python.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from hal.speech import decoding
from hal.speech.decoding import Samples
from hal.speech.errors import BadAudio, Refusal, TooLarge

SPARE_BYTES = 192 * 2**20
"""Memory of a decoding beside the recording and its samples, for FFmpeg's own."""

CPU_S = 20  # ten minutes of sound take less than two
WALL_S = 60.0
_SIZE_BYTES = 8
_THERE, _DONE, _REFUSED, _TOO_LARGE = b"=", b"+", b"-", b">"
_BEYOND_LIMITS = (
    "The recording cannot be decoded: it asks for more memory or time than a recording of speech does."
)


class Decoder:
    """Decodes recordings; may be used by several threads at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._parent: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None

    def start(self) -> None:
        """Start the process that forks the others, so that the first recording need not wait for it."""
        with self._lock:
            self._running()

    def decode(self, data: bytes, max_s: float) -> Samples:
        """Return the samples of a recording, as `decoding.decode` does.

        Raises:
            BadAudio: it is empty, damaged, no audio, or beyond the limits.
            TooLarge: it lasts longer than `max_s`.
        """
        if decoding.is_raw(data):  # nothing is parsed
            return decoding.decode(data, max_s)
        with self._child() as line:
            try:
                line.sendall(len(data).to_bytes(_SIZE_BYTES) + np.float64(max_s).tobytes())
                line.sendall(data)
                said = _read(line, 1 + decoding.size_limit(max_s))
            except OSError:  # TimeoutError is one
                said = b""
        kind, content = said[:1], said[1:]
        if kind == _REFUSED:
            raise BadAudio(content.decode())
        if kind == _TOO_LARGE:
            raise TooLarge(content.decode())
        if kind != _DONE or len(content) % np.dtype(np.float32).itemsize:
            raise BadAudio(_BEYOND_LIMITS)  # it was ended, in the middle of its answer perhaps
        return np.frombuffer(content, np.float32)

    def close(self) -> None:
        """End the process; what it decodes is given up."""
        with self._lock:
            if self._line is not None:
                self._line.close()
            if self._parent is not None:
                self._parent.kill()
                self._parent.wait()
            self._line = self._parent = None

    @contextmanager
    def _child(self) -> Iterator[socket.socket]:
        """Yield the line to a process for one recording."""
        line = self._fork() or self._fork()  # the one that forks may have been killed since
        if line is None:
            raise BadAudio(_BEYOND_LIMITS)
        with line:
            yield line

    def _fork(self) -> socket.socket | None:
        """Return the line to a process that has said that it is there, or nothing if none has."""
        ours, theirs = socket.socketpair()
        ours.settimeout(WALL_S)
        with self._lock:
            asked = self._running()
        try:
            with theirs:
                socket.send_fds(asked, [b"+"], [theirs.fileno()])
            if ours.recv(1) == _THERE:
                return ours
        except OSError:
            pass
        ours.close()
        with self._lock:
            if self._line is asked:
                self._line = None
        return None

    def _running(self) -> socket.socket:
        if self._line is not None and self._parent is not None and self._parent.poll() is None:
            return self._line
        if self._parent is not None:
            self._parent.kill()
            self._parent.wait()
        self._line, theirs = socket.socketpair()
        with theirs:
            self._parent = subprocess.Popen(  # noqa: S603 - this module itself
                [sys.executable, "-P", "-c", f"from {__name__} import serve; serve()"],
                stdin=theirs.fileno(),
                # None of the service's secrets, and no threads, which a fork would not copy.
                env={"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
            )
        return self._line


def serve() -> None:
    """Fork a process for each line that comes through standard input, until that ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps them
    for asked_to_stop in (signal.SIGTERM, signal.SIGINT):  # the service lets its requests end first
        signal.signal(asked_to_stop, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # else a collection would copy the pages that a fork shares
    asked = socket.socket(fileno=0)
    while True:
        message, lines, _, _ = socket.recv_fds(asked, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            try:
                asked.close()
                with socket.socket(fileno=lines[0]) as line:
                    _answer(line)
            finally:
                os._exit(0)
        for line_number in lines:
            os.close(line_number)


def _answer(line: socket.socket) -> None:
    """Decode one recording under limits, and send what comes of it."""
    line.sendall(_THERE)
    header = _read(line, _SIZE_BYTES + np.dtype(np.float64).itemsize, exact=True)
    size, max_s = int.from_bytes(header[:_SIZE_BYTES]), float(np.frombuffer(header[_SIZE_BYTES:])[0])
    data = _read(line, size, exact=True)
    _limit(SPARE_BYTES + size + 3 * decoding.size_limit(max_s))
    try:
        samples = decoding.decode(data, max_s)
        line.sendall(_DONE + samples.tobytes())
    except TooLarge as refusal:
        line.sendall(_TOO_LARGE + str(refusal).encode())
    except Refusal as refusal:
        line.sendall(_REFUSED + str(refusal).encode())
    except MemoryError:
        line.sendall(_REFUSED + _BEYOND_LIMITS.encode())


def _limit(further_bytes: int) -> None:
    """Limit this process to what it has and `further_bytes` more, and to CPU_S seconds of a processor."""
    statm = Path("/proc/self/statm")
    if statm.exists():  # a Mac has none, and does not keep such a limit
        mapped = int(statm.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (mapped + further_bytes,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(nothing, (0, 0))


def _read(line: socket.socket, size: int, *, exact: bool = False) -> bytes:
    """Return at most `size` bytes, or fewer where the other side ends; with `exact` that is an OSError."""
    content = bytearray()
    while len(content) < size and (piece := line.recv(min(size - len(content), 2**20))):
        content += piece
    if exact and len(content) < size:
        raise ConnectionResetError
    return bytes(content)
