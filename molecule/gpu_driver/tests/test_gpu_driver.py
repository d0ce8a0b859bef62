"""The machine has the driver that the real nvidia-detect names, with stand-ins for its packages."""

import pytest

pytestmark = pytest.mark.units("hal-gpu-power")

LIBRARIES = ["libcuda1", "libnvidia-ml1", "libnvidia-cfg1"]
PACKAGES = ["nvidia-kernel-dkms", *LIBRARIES, "nvidia-smi", "nvidia-persistenced"]
OLDER = [f"nvidia-tesla-535-{part}" for part in ("kernel-dkms", "smi")] + [
    f"libnvidia-tesla-535-{part}" for part in ("cuda1", "ml1", "cfg1")
]


UPGRADED = "nvidia-persistenced"


def was_upgraded(host):
    """Return whether the archive has got a newer version of a package since."""
    return host.file("/srv/gpu/upgrade").exists


def test_unattended_upgrades_leave_the_driver_to_the_role(host):
    blacklist = host.check_output("apt-config dump Unattended-Upgrade::Package-Blacklist")
    assert {f'"{name}-"' in blacklist for name in ("nvidia", "libnvidia", "linux-modules-nvidia")} == {True}


def test_debians_own_tool_chose_the_driver(host):
    assert host.package("nvidia-detect").version.startswith("550.")
    assert "nvidia-driver" in host.run("nvidia-detect 10de:2684").stdout
    for name in PACKAGES:
        assert host.package(name).version == (
            "550.1000" if name == UPGRADED and was_upgraded(host) else "550.999"
        )
    assert not host.run("dpkg-query --show 'nvidia-tesla*'").stdout.split()[1:]
    assert host.file("/sys/module/nvidia/version").content_string == "550.999\n"


def test_the_sources_are_the_distributions_own_with_further_components(host):
    text = host.file("/etc/apt/sources.list.d/hal-gpu.sources").content_string
    assert "Components: contrib non-free non-free-firmware\n" in text and "Suites: trixie\n" in text


def test_nouveau_is_kept_away_and_no_branch_is_held(host):
    assert "blacklist nouveau" in host.file("/etc/modprobe.d/hal-gpu.conf").content_string
    assert not host.file("/etc/apt/preferences.d/hal-gpu").exists


@pytest.mark.parametrize(
    "names",
    [
        [f"{name}/trixie" for name in PACKAGES],
        [f"{name}/trixie" for name in OLDER],
        ["nvidia-open-kernel-dkms/trixie"],
        ["firmware-amd-graphics", "rocm-smi", "rocminfo"],
    ],
)
def test_debian_has_the_packages_and_brings_no_desktop_with_them(host, names):
    done = host.run(
        f"apt-get --simulate --allow-downgrades --no-install-recommends install {' '.join(names)}"
    )
    assert done.rc == 0, done.stdout[-2000:] + done.stderr
    assert "Inst xserver-" not in done.stdout


def test_power_is_set_at_every_start_and_the_gpu_was_proved(host):
    service = host.service("hal-gpu-power")
    assert service.is_running and service.is_enabled
    told = host.file("/var/log/nvidia-smi").content_string
    assert "--persistence-mode=1\n--power-limit=280\n" in told and "--query-gpu" in told
