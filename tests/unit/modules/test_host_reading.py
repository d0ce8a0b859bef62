"""host_reading on a host of the test: files below a directory, and programs that say what the test wrote."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import listening_sockets
from ansible.module_utils.reading import host as reading_host

import ollama_models
from hal.network.adoption.hosts import ollama_handover

SAYS = """#!/bin/sh
echo "$(basename $0) $*" >> {folder}/calls
test -e {folder}/$(basename $0).fails && {{ cat {folder}/$(basename $0).fails >&2; exit 1; }}
cat "{folder}/$(basename $0).$1" 2>/dev/null || cat {folder}/$(basename $0).says 2>/dev/null
true
"""
PROGRAMS = ("ss", "ip", "systemctl", "ufw", "docker", "podman", "findmnt", "dpkg-query")
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIHAZLpYCSz0VQIsrDCOG2XnIhAXMJQsjwhUxPOCgS09H"
OURS = "# HAL network writes this file.\n[Unit]\n"


class Household:
    """The host: files below `root`, and what its programs say."""

    def __init__(self, folder: Path, run_module: Callable[..., Any]) -> None:
        self.root, self.folder, self.run_module = folder / "root", folder / "said", run_module

    def write(self, path: str, text: str) -> Path:
        """Write a file of the host."""
        place = self.root / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        return place

    def say(self, program: str, text: str) -> None:
        """Have a program, or with `program.word` one of its commands, say this."""
        (self.folder / (program if "." in program else f"{program}.says")).write_text(text)

    def read(self, *parts: str, check: bool = False) -> Any:
        """Run the module."""
        told = self.run_module("host_reading", {"parts": list(parts)} if parts else {}, check=check)
        assert told["changed"] is False
        return told


@pytest.fixture
def household(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_module: Callable[..., Any]) -> Household:
    for name in ("root", "said", "bin"):
        (tmp_path / name).mkdir()
    for program in PROGRAMS:
        (tmp_path / "bin" / program).write_text(SAYS.format(folder=tmp_path / "said"))
        (tmp_path / "bin" / program).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr(reading_host, "ROOT", tmp_path / "root")
    monkeypatch.setattr(listening_sockets, "CGROUP", str(tmp_path / "said/cgroup.{}"))
    return Household(tmp_path, run_module)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ({}, {}),
        ({"/etc/nginx/nginx.conf": OURS}, {}),
        ({"/etc/nginx/conf.d/limits.conf": "theirs\n"}, {"nginx": ["/etc/nginx/conf.d/limits.conf"]}),
        (
            {
                "/etc/nginx/sites-enabled/photos": "theirs\n",
                "/etc/systemd/system/nginx.service.d/hal.conf": OURS,
            },
            {},
        ),
    ],
    ids=["as the package brings it", "HAL's, of a run that was cut off", "somebody's", "HAL's for long"],
)
def test_a_server_that_hal_has_for_itself_is_told_where_somebody_set_it_up(
    household: Household, written: dict[str, str], told: dict[str, list[str]]
) -> None:
    page = household.write("/etc/nginx/sites-available/default", "package's\n")
    (household.root / "etc/nginx/sites-enabled").mkdir()
    (household.root / "etc/nginx/sites-enabled/default").symlink_to(page)
    digest = hashlib.md5(page.read_bytes(), usedforsecurity=False).hexdigest()
    household.say("dpkg-query", f" /etc/nginx/sites-available/default {digest}\n")
    household.say("systemctl.show", "Id=nginx.service\nActiveState=active\n")
    for path, text in written.items():
        household.write(path, text)
    assert household.read("programs")["programs"] == told
    household.say("systemctl.show", "Id=nginx.service\nActiveState=inactive\n")
    assert household.read("programs")["programs"] == {}


def test_what_listens_is_told_with_its_program_its_unit_and_whose_that_is(household: Household) -> None:
    household.say("ip", '[{"ifname": "eth0", "addr_info": [{"local": "192.0.2.7"}]}]')
    household.say(
        "ss",
        'tcp LISTEN 0 5 0.0.0.0:9000 0.0.0.0:* users:(("python3",pid=71,fd=3))\n'
        'tcp LISTEN 0 5 192.0.2.7:8123 0.0.0.0:* users:(("hass",pid=72,fd=3))\n'
        'tcp LISTEN 0 5 127.0.0.1:5432 0.0.0.0:* users:(("postgres",pid=73,fd=3))\n',
    )
    household.say("cgroup.71", "0::/system.slice/hal-speech.service\n")
    household.say("cgroup.72", "0::/system.slice/hass.service\n")
    household.write("/etc/systemd/system/hal-speech.service", OURS)
    household.write("/etc/systemd/system/hass.service", "[Unit]\n")
    household.say(
        "systemctl.show",
        "Id=hal-speech.service\nFragmentPath=/etc/systemd/system/hal-speech.service\nDropInPaths=\n\n"
        "Id=hass.service\nFragmentPath=/etc/systemd/system/hass.service\nDropInPaths=\n",
    )
    found = {one["port"]: one for one in household.read("listeners")["listeners"]}
    assert {port: (one["unit"], one["ours"], one["serves"]) for port, one in found.items()} == {
        9000: ("hal-speech.service", True, True),
        8123: ("hass.service", False, True),
        5432: ("", False, False),
    }
    assert (found[8123]["entry"], found[8123]["interface"]) == ("hass_8123", "eth0")
    assert found[8123]["text"] == "hass (hass.service) on port 8123/tcp of 192.0.2.7"


def test_a_unit_is_hals_by_its_file_or_by_one_that_adds_to_it(household: Household) -> None:
    household.say(
        "systemctl.list-unit-files",
        "a.service enabled enabled\nb.service enabled enabled\nc.timer enabled enabled\n"
        "d@.service enabled -\ne.target enabled enabled\n",
    )
    household.write("/a", OURS)
    household.write("/b", "[Unit]\n")
    household.write("/b.d/hal.conf", OURS)
    household.write("/c", "# Ansible managed\n")
    household.say(
        "systemctl.show",
        "Id=a.service\nFragmentPath=/a\nActiveState=active\n\nId=b.service\nFragmentPath=/b\n"
        "DropInPaths=/x.conf /b.d/hal.conf\n\nId=c.timer\nDescription=Mine\nFragmentPath=/c\n",
    )
    units = household.read("units")["units"]
    assert {unit["name"]: unit["ours"] for unit in units} == {
        "a.service": True,
        "b.service": True,
        "c.timer": False,
        "d@.service": False,
    }
    assert (units[0]["active"], units[2]["description"]) == (True, "Mine")


def test_of_rules_made_by_hand_it_is_told_whom_they_let_in_where(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "defaults").write_text('DEFAULT_INPUT_POLICY="DROP"\nDEFAULT_OUTPUT_POLICY="ACCEPT"\n')
    (tmp_path / "ufw.conf").write_text("ENABLED=yes\nLOGLEVEL=low\n")
    monkeypatch.setattr("ansible.module_utils.ufw_firewall.DEFAULTS", tmp_path / "defaults")
    monkeypatch.setattr("ansible.module_utils.ufw_firewall.CONFIGURATION", tmp_path / "ufw.conf")
    household.say("ufw.status", "Status: active\n")
    household.say(
        "ufw.show",
        "ufw allow from 192.0.2.0/24 to any port 8123 proto tcp comment 'home assistant'\n"
        "ufw deny 25/tcp\nufw allow 443/tcp comment 'HAL: web from any'\n",
    )
    firewall = household.read("firewall")["firewall"]
    assert (firewall["enabled"], firewall["refuses"]) == (True, True)
    assert firewall["rules"] == [
        {
            "text": "allow from 192.0.2.0/24 to any port 8123 proto tcp",
            "ports": [[8123, "tcp"]],
            "allows": True,
            "source": "192.0.2.0/24",
        },
        {"text": "deny 25/tcp", "ports": [[25, "tcp"]], "allows": False, "source": ""},
    ]


def test_who_can_log_in_is_told_with_fingerprints_and_without_keys(household: Household) -> None:
    household.write(
        "/etc/passwd",
        "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin:/usr/sbin/nologin\n"
        "anna:x:1000:1000::/home/anna:/bin/zsh\nbackup:x:34:34::/var/backups:/usr/sbin/nologin\n",
    )
    household.write(
        "/home/anna/.ssh/authorized_keys",
        f'#ssh-ed25519 {KEY} gone\nfrom="192.0.2.1",no-pty ssh-ed25519 {KEY} anna at home\nrubbish\n'
        "# a comment\nssh-rsa Schl\u00fcssel von Anna\n",
    )
    household.write("/var/backups/.ssh/authorized_keys2", f"ssh-ed25519 {KEY}\n")
    told = household.read("users")
    fingerprint = "SHA256:PaGAT8LGOCTeV3rN9iNtD32acff76Aoy34OTD2JCWDY"
    users = {user["name"]: user["keys"] for user in told["users"]}
    assert {name: [key["comment"] for key in keys] for name, keys in users.items()} == {
        "root": [],
        "anna": ["anna at home"],
        "backup": [""],
    }
    assert users["anna"][0]["fingerprint"] == fingerprint
    assert KEY not in json.dumps(told)


def test_of_cron_what_no_package_brought_is_told_without_arguments(household: Household) -> None:
    brought = household.write("/etc/cron.d/e2scrub", "30 3 * * 0 root test -e /run && e2scrub\n")
    household.say("dpkg-query", f" /etc/cron.d/e2scrub {md5(brought)}\n /etc/crontab 0000\n")
    household.write("/etc/crontab", "SHELL=/bin/sh\n17 * * * * root cd / && run-parts\n")
    household.write("/etc/cron.d/mine", "@daily anna TOKEN=s3cret /opt/mine --password=s3cret\n")
    household.write("/var/spool/cron/crontabs/anna", "# m h\n*/5 1-3 * * mon /home/anna/poll s3cret\n")
    household.write("/etc/cron.daily/mine", "#!/bin/sh\n")
    household.write("/etc/cron.daily/hal", f"#!/bin/sh\n{OURS}")
    told = household.read("schedules")
    assert [(one["path"], one["user"], one["when"], one["program"]) for one in told["schedules"]] == [
        ("/etc/crontab", "root", "17 * * * *", "cd"),
        ("/etc/cron.d/mine", "anna", "@daily", "/opt/mine"),
        ("/var/spool/cron/crontabs/anna", "anna", "*/5 1-3 * * mon", "/home/anna/poll"),
        ("/etc/cron.daily/mine", "root", "daily", "mine"),
    ]
    assert "s3cret" not in json.dumps(told)


@pytest.mark.parametrize(
    ("path", "line", "told"),
    [
        ("/etc/cron.d/mine", "17 *\t* * *\tanna\t/opt/mine\t--password=s3cret", ("anna", "/opt/mine")),
        ("/etc/cron.d/mine", "0 3 * * * anna  PASS='s3cret s3cret' /opt/mine", ("anna", "/opt/mine")),
        (
            "/var/spool/cron/crontabs/anna",
            '0 3 1 jan * A="a s3cret" B=s3cret /opt/mine',
            ("anna", "/opt/mine"),
        ),
        ("/etc/anacrontab", "7\t10\tmine\t/opt/mine s3cret", ("root", "/opt/mine")),
        ("/var/spool/cron/crontabs/anna", "@daily PASS='a s3cret /opt/mine", ("anna", "")),
    ],
    ids=["tabs", "a password with blanks", "a month by its name", "of anacron", "quotes that do not end"],
)
def test_a_line_of_cron_is_read_however_it_is_written(
    household: Household, path: str, line: str, told: tuple[str, str]
) -> None:
    household.write(path, f"{line}\n")
    reading = household.read("schedules")
    assert [(one["user"], one["program"]) for one in reading["schedules"]] == [told]
    assert "s3cret" not in json.dumps(reading)


def md5(path: Path) -> str:
    """Return the MD5 of a file."""
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def test_containers_of_both_engines_are_told(household: Household) -> None:
    household.write("/run/docker.sock", "")
    household.say("docker", '{"Names": "web", "Image": "nginx:1", "State": "running", "Ports": "80/tcp"}\n')
    ports = '[{"host_port": 8080, "container_port": 80}]'
    household.say("podman", f'[{{"Names": ["db"], "Image": "pg", "State": "exited", "Ports": {ports}}}]')
    found = household.read("containers")["containers"]
    assert [(one["engine"], one["name"], one["state"], one["ports"]) for one in found] == [
        ("docker", "web", "running", "80/tcp"),
        ("podman", "db", "exited", "8080->80"),
    ]


def test_docker_without_its_daemon_hides_nothing_else(household: Household) -> None:
    household.write("/run/docker.sock", "")
    household.say("docker.fails", "Cannot connect to the Docker daemon\n")
    household.say("podman", '[{"Names": ["db"], "Image": "pg", "State": "exited", "Ports": null}]')
    told = household.read("containers")
    assert [one["name"] for one in told["containers"]] == ["db"]
    assert told["unread"] == ["`docker ps` ended with 1: Cannot connect to the Docker daemon."]


MANIFEST = json.dumps({"config": {"size": 1000}, "layers": [{"size": 3 * 1024**3}]})


def ollama_by_script(household: Household) -> None:
    """Put there what Ollama's own script installs."""
    household.write("/usr/local/bin/ollama", "ELF")
    household.write("/etc/systemd/system/ollama.service", "[Service]\nUser=ollama\n")
    household.write("/etc/passwd", "ollama:x:999:999::/usr/share/ollama:/bin/false\n")
    models = "/usr/share/ollama/.ollama/models/manifests/registry.ollama.ai"
    household.write(f"{models}/library/llama3/latest", MANIFEST)
    household.write(f"{models}/anna/tiny/q4", MANIFEST)


def test_an_ollama_of_its_own_script_is_the_households_with_its_models(household: Household) -> None:
    ollama_by_script(household)
    found = household.read("ollama")["ollama"]
    assert (found["owner"], found["program"]) == ("household", "/usr/local/bin/ollama")
    assert found["directory"] == "/usr/share/ollama/.ollama/models"
    assert [(model["name"], model["gib"]) for model in found["models"]] == [
        ("anna/tiny:q4", 3.0),
        ("llama3:latest", 3.0),
    ]


def test_the_commands_that_are_run_hand_ollama_over_so_that_no_model_is_fetched_again(
    household: Household, tmp_path: Path
) -> None:
    ollama_by_script(household)
    models = household.root / "usr/share/ollama/.ollama/models"
    blob, content = hashlib.sha256(b"weights").hexdigest(), b"weights"
    (models / "blobs").mkdir()
    (models / f"blobs/sha256-{blob}").write_bytes(content)
    part = {"digest": f"sha256:{blob}", "size": len(content)}
    manifest = models / "manifests/registry.ollama.ai/library/llama3/latest"
    manifest.write_text(json.dumps({"config": part, "layers": []}))
    settings = "[Service]\nEnvironment=OLLAMA_HOST=0.0.0.0\n"
    household.write("/etc/systemd/system/ollama.service.d/override.conf", settings)
    command = ollama_handover(household.read("ollama"))
    subprocess.run(command.replace(" /", f" {household.root}/"), shell=True, check=True)

    assert "systemctl disable --now ollama" in (household.folder / "calls").read_text()
    found = household.read("ollama")["ollama"]
    assert (found["owner"], found["directory"]) == ("nobody", "/var/lib/ollama/models")
    assert ollama_handover({"ollama": found}) == ""
    digest = next(model["digest"] for model in found["models"] if model["name"] == "llama3:latest")
    library = ollama_models.Library(household.root / "var/lib/ollama/models", "http://127.0.0.1:1")
    assert library.holds("llama3:latest", digest)
    kept = sorted(path.name for path in household.root.rglob("*.before-hal"))
    assert kept == ["ollama.before-hal", "ollama.service.before-hal", "ollama.service.d.before-hal"]


def test_models_that_a_drop_in_puts_elsewhere_are_found_there(household: Household) -> None:
    ollama_by_script(household)
    settings = '[Service]\nEnvironment="OLLAMA_MODELS=/data/models"\n'
    household.write("/etc/systemd/system/ollama.service.d/override.conf", settings)
    household.write("/data/models/manifests/registry.ollama.ai/library/phi3/mini", MANIFEST)
    found = household.read("ollama")["ollama"]
    assert (found["directory"], [model["name"] for model in found["models"]]) == (
        "/data/models",
        ["phi3:mini"],
    )


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ("Environment='OLLAMA_MODELS=/data/models'", "/data/models"),
        ("Environment=OLLAMA_MODELS='/data/models'", "/data/models"),
        ('Environment="A=1" "OLLAMA_MODELS=/mnt/big disk/models"', "/mnt/big disk/models"),
        ("Environment=OLLAMA_MODELS=/old OLLAMA_MODELS=/data/models", "/data/models"),
        ("Environment=OLLAMA_MODELS=/data/models\n#Environment=OLLAMA_MODELS=/old", "/data/models"),
        ("EnvironmentFile=-/etc/default/ollama", "/data/models"),
    ],
)
def test_the_models_are_where_systemd_tells_ollama(household: Household, setting: str, place: str) -> None:
    ollama_by_script(household)
    household.write("/etc/systemd/system/ollama.service", "[Service]\nEnvironment=OLLAMA_MODELS=/old\n")
    household.write("/etc/systemd/system/ollama.service.d/override.conf", f"[Service]\n{setting}\n")
    household.write("/etc/default/ollama", "# where\nOLLAMA_MODELS=/data/models\n")
    for directory in ("/old", place):
        household.write(f"{directory}/manifests/registry.ollama.ai/library/phi3/mini", MANIFEST)
    assert household.read("ollama")["ollama"]["directory"] == place


def test_models_of_other_registries_are_told_and_handed_over(household: Household) -> None:
    household.write("/usr/local/bin/ollama", "ELF")
    household.write("/root/.ollama/models/manifests/hf.co/anna/Tiny-GGUF/Q4_K_M", MANIFEST)
    found = household.read("ollama")["ollama"]
    assert [model["name"] for model in found["models"]] == ["hf.co/anna/Tiny-GGUF:Q4_K_M"]
    assert found["directory"] == "/root/.ollama/models"


def test_models_are_handed_over_where_a_directory_stands_already(
    household: Household, tmp_path: Path
) -> None:
    models = tmp_path / "big disk/models"
    (models / "blobs").mkdir(parents=True)
    (household.root / "var/lib/ollama/models").mkdir(parents=True)
    told = {"owner": "household", "program": "", "unit": "", "drop_ins": [], "directory": str(models)}
    command = ollama_handover({"ollama": told})
    place = f"{household.root}/var/lib/ollama"
    subprocess.run(command.replace("/var/lib/ollama", place), shell=True, check=True)
    assert [path.name for path in Path(place, "models").iterdir()] == ["blobs"]


def test_hals_ollama_is_hals_also_of_a_release_whose_files_had_no_mark(household: Household) -> None:
    household.write("/etc/systemd/system/ollama.service", "# Ansible managed\n")
    link = household.write("/usr/local/bin/none", "").with_name("ollama")
    household.write("/opt/ollama/current/bin/ollama", "ELF")
    link.symlink_to("/opt/ollama/current/bin/ollama")
    assert household.read("ollama")["ollama"]["owner"] == "hal"


def test_mounted_disks_are_told_without_the_systems_own(household: Household) -> None:
    mounts = [
        {"target": "/", "source": "/dev/vda1", "fstype": "ext4", "size": 1},
        {"target": "/boot/efi", "source": "/dev/vda15", "fstype": "vfat", "size": 1},
        {"target": "/etc/hostname", "source": "/dev/vda[/x]", "fstype": "ext4", "size": 1},
        {"target": "/srv/media", "source": "/dev/sdb1", "fstype": "ext4", "size": 5 * 1024**3},
        {"target": "/mnt/nas", "source": "nas:/volume1", "fstype": "nfs4", "size": None},
        {"target": "/data", "source": "/dev/sdc[/@data]", "fstype": "btrfs", "size": 0},
        {"target": "/pool", "source": "1:2", "fstype": "fuse.mergerfs", "size": 0},
        {"target": "/home/anna/.gvfs", "source": "gvfsd-fuse", "fstype": "fuse.gvfsd-fuse", "size": 0},
        {"target": "/var/lib/docker/overlay2/a/merged", "source": "overlay", "fstype": "overlay", "size": 0},
    ]
    household.say("findmnt", json.dumps({"filesystems": mounts}))
    assert household.read("disks")["disks"] == [
        {"path": "/srv/media", "device": "/dev/sdb1", "type": "ext4", "gib": 5.0},
        {"path": "/mnt/nas", "device": "nas:/volume1", "type": "nfs4", "gib": 0.0},
        {"path": "/data", "device": "/dev/sdc[/@data]", "type": "btrfs", "gib": 0.0},
        {"path": "/pool", "device": "1:2", "type": "fuse.mergerfs", "gib": 0.0},
    ]


def test_a_host_with_nothing_installed_is_read_in_a_check_as_well(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ansible.module_utils.basic.AnsibleModule.get_bin_path", lambda *_, **__: None)
    told = household.read(check=True)
    assert told == household.read()
    assert (told["listeners"], told["users"], told["containers"], told["disks"]) == ([], [], [], [])
    assert told["unread"] == ["What listens cannot be read: there is no `ss`; install iproute2."]


def test_what_a_program_says_in_another_way_is_told_and_hides_nothing_else(household: Household) -> None:
    household.say("findmnt", "no JSON")
    household.write("/etc/passwd", "root:x:0:0:root:/root:/bin/bash\n")
    told = household.read("disks", "users")
    assert told["disks"] == [] and [user["name"] for user in told["users"]] == ["root"]
    assert told["unread"][0].startswith("The disks cannot be read: ")


def test_a_host_that_runs_no_linux_is_asked_nothing(
    household: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert household.read() == {"changed": False, "system": "darwin", "unread": []}
    assert not (household.folder / "calls").exists()
