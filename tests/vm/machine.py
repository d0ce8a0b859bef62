"""A virtual machine with its own kernel, a disk like Debian's cloud image and a seed as Proxmox writes it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lab import cloud_init, registry

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache/vm"
IMAGE_DAYS = 30  # older, cloud-init would upgrade so much that it takes longer than a new image
# What Proxmox calls x86-64-v2-AES, its default; where KVM cannot provide it, QEMU ends at once.
PROCESSOR = "qemu64,enforce,+aes,+cx16,+lahf-lm,+popcnt,+pni,+sse4.1,+sse4.2,+ssse3"
DISK = "8G"
MEMORY_MIB = 1536
# QEMU's own network, in which the machine is alone; 198.18.0.0/15 is reserved for tests.
NETWORK, GATEWAY, PROXY, ADDRESS = "198.18.99.0/24", "198.18.99.2", "198.18.99.4", "198.18.99.50"
PROXY_PORT = 3128
FIRST_WORDS_S = 60  # they come after 2 s with KVM, after 6 s emulated, and later on a busy computer
BOOT_S = 900


class MachineError(RuntimeError):
    """The machine does not do as it should; the text says what was seen of it last."""


def ensure_image() -> Path:
    """Return the disk image, built from the controller's package mirror unless it is there."""
    sources = registry.package_sources()
    digest = hashlib.sha256(sources.encode())
    for name in ("build.sh", "packages.txt"):
        digest.update((HERE / "image" / name).read_bytes())
    image = CACHE / f"debian-{digest.hexdigest()[:12]}.qcow2"
    if image.exists() and time.time() - image.stat().st_mtime < IMAGE_DAYS * 86400:
        return image
    CACHE.mkdir(parents=True, exist_ok=True)
    for old in CACHE.iterdir():
        old.unlink()
    given = CACHE / "given.sources"
    given.write_text(sources)
    subprocess.run(
        [HERE / "image/build.sh", given, f"http://{PROXY}:{PROXY_PORT}", image],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return image


class VirtualMachine:
    """A machine under QEMU, which `start` boots and `stop` ends and removes.

    Args:
        config: its configuration as the Proxmox API has it, of which cloud-init's seed is made.
        directory: a directory for its disk, sockets and console; the path must be short.
        key: the private SSH key of the user `ciuser`.
        ports: the machine's ports that are reached from here, with the port of 127.0.0.1 that leads to each.
    """

    def __init__(
        self, config: Mapping[str, Any], directory: Path, key: Path, ports: Mapping[int, int]
    ) -> None:
        self.user = config["ciuser"]
        self.accelerator = ""
        self._config, self._directory, self._ports = config, directory, ports
        self._disk = directory / "disk.qcow2"
        self._console, self._log = directory / "console", directory / "qemu.log"
        self._qemu: subprocess.Popen[bytes] | None = None
        self.ssh_options = (
            "-i", str(key), "-o", "BatchMode=yes", "-o", "ConnectTimeout=20",
            "-o", "StrictHostKeyChecking=accept-new", "-o", f"UserKnownHostsFile={directory / 'known_hosts'}",
        )  # fmt: skip

    def start(self) -> None:
        """Boot the machine with the kernel's help where that works, and emulated elsewhere.

        Only booting shows it: there are machines that have /dev/kvm and cannot run a guest with it.
        """
        self._write_seed()
        for accelerator in ("kvm", "tcg"):
            self._run(accelerator)
            with contextlib.suppress(MachineError):
                self.wait(lambda: "Linux version" in self.said(), FIRST_WORDS_S, "the kernel's first words")
                self.accelerator = accelerator
                return
            self.stop()
        raise MachineError(f"The machine does not boot. It has said:\n{self.said()[-2000:]}")

    def stop(self) -> None:
        """End the machine as a power cut would, and remove its disk."""
        if self._qemu is not None:
            self._qemu.kill()
            self._qemu.wait()
            self._qemu = None
        self._disk.unlink(missing_ok=True)

    def said(self) -> str:
        """Return what the machine has written to its console, and QEMU about the machine."""
        return self._console.read_text(errors="replace") + self._log.read_text()

    def wait(self, is_so: Callable[[], bool], limit_s: float, what: str) -> None:
        """Wait until something is so.

        Raises:
            MachineError: it is not so after `limit_s` seconds, or the machine has ended.
        """
        deadline = time.monotonic() + limit_s
        while not is_so():
            ended = self._qemu is None or self._qemu.poll() is not None
            if ended or time.monotonic() > deadline:
                why = "it has ended" if ended else f"not after {limit_s} s"
                raise MachineError(f"Waited for {what}: {why}. It has said:\n{self.said()[-2000:]}")
            time.sleep(0.5)

    def wait_for_ssh(self, port: int) -> None:
        """Wait until the machine lets its user in at one of its ports."""
        self.wait(lambda: self.ssh("true", port).returncode == 0, BOOT_S, f"SSH at port {port}")

    def ssh(self, command: str, port: int, limit_s: float = BOOT_S) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the machine."""
        return subprocess.run(
            ["ssh", *self.ssh_options, "-p", str(self._ports[port]), f"{self.user}@127.0.0.1", command],
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )

    def shut_down(self) -> None:
        """Have the guest agent shut the machine down, as Proxmox does, and wait until it is off.

        Raises:
            MachineError: it still runs after `BOOT_S` seconds.
        """
        if self._qemu is None:
            raise MachineError("The machine is off.")
        with socket.socket(socket.AF_UNIX) as agent:
            agent.connect(str(self._directory / "agent"))
            agent.sendall(json.dumps({"execute": "guest-shutdown"}).encode() + b"\n")
            # The agent says nothing when it obeys.
            try:
                self._qemu.wait(BOOT_S)
            except subprocess.TimeoutExpired:
                raise MachineError(f"The machine still runs. It has said:\n{self.said()[-2000:]}") from None

    def _write_seed(self) -> None:
        seed = self._directory / "seed"
        seed.mkdir()
        for name, text in cloud_init.seed(self._config, vmid=100).items():
            (seed / name).write_text(text)
        subprocess.run(
            ["genisoimage", "-quiet", "-iso-level", "3", "-J", "-R", "-V", cloud_init.LABEL,
             "-o", self._directory / "seed.iso", seed],
            check=True,
        )  # fmt: skip

    def _run(self, accelerator: str) -> None:
        image = ensure_image()
        self._console.write_text("")
        subprocess.run(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", self._disk, DISK],
            check=True,
        )
        # The machine can be reached from here, and reaches nothing but the program that answers as its proxy:
        # not the controller, not its network, which may be a household's, and no name server.
        proxy = shlex.join([sys.executable, str(HERE / "mirror.py"), str(image.with_suffix(".sources"))])
        network = [
            f"user,id=net0,net={NETWORK},host={GATEWAY},restrict=on",
            *(f"hostfwd=tcp:127.0.0.1:{here}-{ADDRESS}:{there}" for there, here in self._ports.items()),
            f"guestfwd=tcp:{PROXY}:{PROXY_PORT}-cmd:{proxy.replace(',', ',,')}",
        ]
        mac = self._config["net0"].partition("=")[2].partition(",")[0]
        command = [
            "qemu-system-x86_64", "-machine", f"q35,accel={accelerator}", "-cpu", PROCESSOR,
            "-smp", "2", "-m", str(MEMORY_MIB), "-display", "none", "-serial", f"file:{self._console}",
            "-drive", f"file={self._disk},if=virtio,cache=unsafe,discard=unmap",
            "-drive", f"file={self._directory / 'seed.iso'},media=cdrom,readonly=on",
            "-netdev", ",".join(network), "-device", f"virtio-net-pci,netdev=net0,mac={mac}",
            "-device", "virtio-rng-pci", "-device", "virtio-serial",
            "-chardev", f"socket,id=agent,path={self._directory / 'agent'},server=on,wait=off",
            "-device", "virtserialport,chardev=agent,name=org.qemu.guest_agent.0",
        ]  # fmt: skip
        with self._log.open("wb") as log:
            # A test that is killed takes its machine with it.
            self._qemu = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *command], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
