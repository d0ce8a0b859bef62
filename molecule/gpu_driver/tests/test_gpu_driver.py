"""A container without a GPU gets no driver; the packages for machines with one can be had from Debian."""

import pytest
import yaml
from ansible.module_utils.gpu import lspci, plan
from tests.unit.gpu.conftest import BARE, ROOT, SAMPLES, SYSTEMS, WISH

pytestmark = pytest.mark.units("hal-gpu-power")

TABLES = {
    name.removeprefix("gpu_driver_"): value
    for name, value in yaml.safe_load((ROOT / "roles/gpu_driver/vars/main.yml").read_text()).items()
}


def decide(sample, **wishes):
    """Decide for a machine of Debian 13 with its own kernel."""
    facts = BARE | SYSTEMS["debian"] | {"gpus": lspci.parse((SAMPLES / f"{sample}.lspci").read_text())}
    return plan.decide(facts, WISH | wishes, TABLES)


def simulate(host, *arguments):
    """Return what apt would install, as `package version`, or fail with what it says."""
    done = host.run("apt-get --simulate --no-install-recommends install " + " ".join(arguments))
    assert done.rc == 0, done.stdout[-2000:] + done.stderr
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("Inst ")]
    return {words[1]: words[2].strip("(") for words in lines}


def test_no_driver_came_with_the_role(host):
    assert host.run("dpkg-query --show 'nvidia-*' 'libcuda*' dkms").stdout == ""
    for path in ("/etc/modprobe.d/hal-gpu.conf", "/etc/apt/preferences.d/hal-gpu", "/var/lib/hal/gpu_driver"):
        assert not host.file(path).exists


@pytest.mark.parametrize(
    ("sample", "wishes", "modules", "branch"),
    [
        ("ada", {}, "nvidia-kernel-dkms", "550"),
        ("ampere_data_centre", {"kernel_modules": "open"}, "nvidia-open-kernel-dkms", "550"),
        ("pascal", {}, "nvidia-kernel-dkms", "550"),
        ("ada", {"branch": 535}, "nvidia-tesla-535-kernel-dkms", "535"),
    ],
)
def test_the_packages_for_nvidia_can_be_had(host, sample, wishes, modules, branch):
    answer = decide(sample, **wishes)
    assert answer["outcome"] == "install"
    would = simulate(host, *answer["packages"])
    assert set(answer["packages"]) <= would.keys()
    assert would[modules].startswith(f"{branch}.")
    assert {"dkms", "linux-headers-amd64"} <= would.keys()
    kernels = [name for name in would if name.endswith("kernel-dkms")]
    assert kernels == [modules]  # not both kinds of modules
    assert not [name for name in would if name.startswith("xserver-")]  # nor a display server


def test_the_packages_for_amd_can_be_had(host):
    answer = decide("rdna3")
    assert set(answer["packages"]) <= simulate(host, *answer["packages"]).keys()


def test_the_kernel_can_be_brought_up_to_date_for_its_headers(host):
    facts = (
        BARE
        | SYSTEMS["debian"]
        | {"gpus": lspci.parse((SAMPLES / "ada.lspci").read_text()), "headers": False}
    )
    packages = plan.decide(facts, WISH, TABLES)["kernel_packages"]
    assert set(packages) <= simulate(host, *packages).keys()


def test_the_branch_is_held_by_its_pin(host):
    host.run_test("mkdir -p /tmp/pin")
    text = "Package: /nvidia/ /^libcuda/\\nPin: version 535.*\\nPin-Priority: 1001\\n"
    host.check_output(f"printf '{text}' > /tmp/pin/hal-gpu")
    policy = host.check_output(
        "apt-cache policy -o Dir::Etc::preferencesparts=/tmp/pin nvidia-tesla-535-smi nvidia-smi"
    )
    held, other = policy.split("nvidia-smi:")
    assert "1001" in held and "1001" not in other


def test_power_is_set_once_and_at_every_start(host):
    service = host.service("hal-gpu-power")
    assert service.is_running and service.is_enabled
    told = host.file("/var/log/nvidia-smi").content_string.splitlines()
    assert told.count("--persistence-mode=1") == told.count("--power-limit=280") == 1
    assert sum(line.startswith("--query-gpu") for line in told) == 2
