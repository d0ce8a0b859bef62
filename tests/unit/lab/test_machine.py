"""What the lab asks of its machine, and what it says when it cannot have it."""

import collections
import itertools
import json
import shutil
import subprocess
import sys
import time
import types

import pytest
from lab import machine, processes, registry
from lab.processes import Process, identity


@pytest.fixture
def says(monkeypatch):
    """Let a module's programs say what a test wants: says(module, {words in the command: output})."""

    def install(module, answers):
        def run(command, **_):
            for words, output in answers.items():
                if words in " ".join(command):
                    return subprocess.CompletedProcess(command, 0, output, "")
            raise AssertionError(command)

        monkeypatch.setattr(module.subprocess, "run", run)

    return install


def test_the_mirrors_of_a_debian_machine_serve_the_labs_release(says):
    lines = "http://mirror/debian/ bookworm Debian\nhttp://mirror/debian/ bookworm-updates Debian\n"
    lines += "http://mirror/security/ bookworm-security Debian\nhttp://other/apt stable Other Vendor\n"
    says(registry, {"indextargets": lines})
    sources = registry.package_sources()
    assert "URIs: http://mirror/debian/\nSuites: trixie\n" in sources
    assert "URIs: http://mirror/security/\nSuites: trixie-security\n" in sources
    assert "bookworm" not in sources and "other" not in sources


def test_a_machine_that_is_not_debian_uses_the_builders_own_mirror(says):
    says(registry, {"indextargets": "http://mirror/ubuntu noble Ubuntu\n"})
    assert registry.package_sources() == ""


def test_ubuntu_comes_from_where_a_debian_machine_has_its_packages(says):
    says(registry, {"indextargets": "http://mirror/debian/ bookworm Debian\n"})
    sources = registry.package_sources("noble")
    assert "URIs: http://mirror/ubuntu/\nSuites: noble-security\nComponents: main universe\n" in sources
    assert "debian" not in sources


def test_a_machine_without_a_mirror_of_ubuntu_uses_the_builders_own(says):
    says(registry, {"indextargets": "http://packages/elsewhere/ bookworm Debian\n"})
    assert registry.package_sources("noble") == ""


def test_ubuntus_keys_are_taken_by_their_checksum_alone(says, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "UBUNTU_KEYRING", registry.UBUNTU_KEYRING.with_name("there-is-none.gpg"))
    says(registry, {"indextargets": f"file://{tmp_path}/debian/ bookworm Debian\n"})
    package = tmp_path / "ubuntu" / registry.KEYRING_PACKAGE
    package.parent.mkdir(parents=True)
    package.write_bytes(b"somebody else's keys")
    with pytest.raises(ValueError, match="than Ubuntu"):
        registry.keyring("noble", tmp_path)
    assert registry.keyring("trixie", tmp_path) == registry.DEBIAN_KEYRING


def test_proxies_are_handed_on_and_unset_ones_are_not(says):
    dump = 'Acquire::http::Proxy "http://proxy:3128";\nAcquire::https::Proxy "";\nAPT::Install "x";\n'
    says(registry, {"dump": dump})
    assert registry.apt_proxies() == 'Acquire::http::Proxy "http://proxy:3128";\n'


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """Return a checkout with the files that images are made of."""
    monkeypatch.setattr(
        registry, "package_sources", lambda release, state=None: f"Types: deb\nSuites: {release}\n"
    )
    (tmp_path / "lab/image/ssh-socket").mkdir(parents=True)
    for name in (*machine.IMAGE_INPUTS, "ssh-socket/Containerfile"):
        (tmp_path / "lab/image" / name).write_text("one")
    return tmp_path


def test_the_image_has_another_name_when_what_it_is_made_of_changes(checkout, monkeypatch):
    before = machine.image_name(checkout)
    assert machine.image_name(checkout) == before
    for name in machine.IMAGE_INPUTS:
        (checkout / "lab/image" / name).write_text("two")
        assert machine.image_name(checkout) != before
        (checkout / "lab/image" / name).write_text("one")
    assert machine.image_name(checkout) == before
    monkeypatch.setattr(registry, "package_sources", lambda release, state=None: "Types: deb-src\n")
    assert machine.image_name(checkout) != before


def test_each_kind_of_image_has_a_name_of_its_own(checkout):
    kinds = ("trixie", "trixie-ssh-socket", "bookworm")
    names = [machine.image_name(checkout, kind) for kind in kinds]
    assert len(set(names)) == len(names)
    (checkout / "lab/image/ssh-socket/Containerfile").write_text("two")
    changed = [machine.image_name(checkout, kind) for kind in kinds]
    assert [name for name in names if name not in changed] == [names[1]]


def test_name_servers_of_this_machine_that_others_can_reach_are_handed_on(tmp_path, monkeypatch):
    behind, front = tmp_path / "behind.conf", tmp_path / "resolv.conf"
    monkeypatch.setattr(registry, "RESOLVERS", (behind, front))
    front.write_text("search example.net\nnameserver 127.0.0.53\nnameserver 192.0.2.1\n")
    assert registry.name_servers() == ["192.0.2.1"]
    behind.write_text(
        "# systemd-resolved asks\nnameserver 192.0.2.2\nnameserver fe80::1%eth0\nnameserver ::1\n"
    )
    assert registry.name_servers() == ["192.0.2.2", "fe80::1%eth0"]
    settings, inside = registry.name_server_mount(tmp_path)
    assert settings.read_text() == "[Resolve]\nDNS=192.0.2.2 fe80::1%eth0\n"
    assert inside.startswith("/etc/systemd/resolved.conf.d/")


def test_another_checkouts_network_is_named(says):
    networks = [{"name": "hal-other", "subnets": [{"subnet": machine.NETWORK}]}]
    says(machine, {"network ls": json.dumps(networks)})
    with pytest.raises(machine.LabError, match=r"hal-other already holds .*make lab-down"):
        machine.ensure_network("hal-mine", "hal.lab=mine")


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    usage = collections.namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 5 * 2**20))
    with pytest.raises(machine.LabError, match=r"needs 3000 MiB of free disk; there are 5\."):
        machine.check(tmp_path)


def test_a_command_that_fails_is_said_with_its_last_lines():
    with pytest.raises(machine.LabError, match=r"(?s)`sh -c .*failed: .*no room"):
        machine.run("sh", "-c", "echo no room >&2; exit 1")


def test_the_labs_own_network_is_made_once(says):
    says(
        machine, {"network ls": json.dumps([{"name": "hal-mine", "subnets": [{"subnet": machine.NETWORK}]}])}
    )
    machine.ensure_network("hal-mine", "hal.lab=mine")
    says(machine, {"network ls": json.dumps([{"name": "podman"}]), "network create": "hal-mine"})
    machine.ensure_network("hal-mine", "hal.lab=mine")


def test_hosts_are_given_the_proxies_and_the_authorities_of_this_machine(says, tmp_path, monkeypatch):
    says(registry, {"dump": 'Acquire::http::Proxy "http://proxy:3128";\n'})
    bundle = tmp_path / "ca.crt"
    monkeypatch.setattr(registry, "CA_BUNDLE", bundle)
    ((proxies, inside),) = registry.host_mounts(tmp_path)
    assert inside == "/etc/apt/apt.conf.d/90controller"
    assert "proxy:3128" in proxies.read_text()
    bundle.write_text("")
    assert registry.host_mounts(tmp_path)[1:] == ((bundle, str(bundle)),)


@pytest.fixture
def sleeper(tmp_path):
    """Return a process that does nothing for a while, and end it afterwards."""
    process = Process("sleeper", [sys.executable, "-c", "import time; time.sleep(60)"], tmp_path)
    yield process
    process.stop()


def test_a_process_is_started_once_and_stopped(sleeper):
    sleeper.start()
    first = sleeper.pid()
    sleeper.start()
    assert first is not None and sleeper.pid() == first
    sleeper.stop()
    assert sleeper.pid() is None and identity(str(first)) == ""


def test_a_process_that_will_not_end_is_killed(tmp_path, monkeypatch):
    program = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    process = Process("stubborn", [sys.executable, "-c", program], tmp_path)
    process.start()
    while "ready" not in process.log.read_text():
        process.require()
        time.sleep(0.01)
    number = str(process.pid())
    clock = itertools.count(step=5)
    monkeypatch.setattr(
        processes,
        "time",
        types.SimpleNamespace(monotonic=lambda: next(clock), sleep=lambda _: time.sleep(0.1)),
    )
    process.stop()
    assert identity(number) == ""
    assert not (tmp_path / "stubborn.pid").exists()


def test_secrets_of_a_process_are_in_its_environment_and_not_in_its_command(tmp_path):
    process = Process("told", ["sh", "-c", 'echo "heard $SECRET"'], tmp_path, {"SECRET": "word"})
    process.start()
    while process.pid() is not None:
        time.sleep(0.01)
    assert process.log.read_text() == "heard word\n"


def test_a_process_of_the_same_number_is_not_taken_for_ours(tmp_path):
    with subprocess.Popen(["sleep", "60"]) as stranger:
        (tmp_path / "ours.pid").write_text(f"{stranger.pid} 1")
        ours = Process("ours", ["true"], tmp_path)
        assert identity(str(stranger.pid)) != ""
        assert ours.pid() is None
        ours.stop()
        assert stranger.poll() is None
        stranger.kill()


def test_a_process_that_ended_is_said_with_its_last_words(tmp_path):
    process = Process("failing", ["sh", "-c", "echo the port is taken; exit 1"], tmp_path)
    process.start()
    while process.pid() is not None:
        time.sleep(0.01)
    with pytest.raises(machine.LabError, match=r"(?s)failing ended at once.*the port is taken"):
        process.require()
