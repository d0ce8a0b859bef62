"""Hand this machine's own package registries on to the lab's hosts.

The lab runs wherever its controller can install packages: behind a mirror, a proxy or a private CA.
So nothing here names a registry; everything is read from the controller's configuration at run time.
"""

from __future__ import annotations

import hashlib
import subprocess
import urllib.request
from ipaddress import ip_address
from pathlib import Path

DEBIAN_RELEASE = "trixie"
DEBIAN_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# Releases of Ubuntu that hosts run. Where a machine lacks their keys, these come by checksum from the mirror.
UBUNTU_RELEASES = ("noble", "resolute")
UBUNTU_KEYRING = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
KEYRING_PACKAGE = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
KEYRING_SHA256 = "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
# The first names what systemd-resolved asks, where the second names only itself.
RESOLVERS = (Path("/run/systemd/resolve/resolv.conf"), Path("/etc/resolv.conf"))


def _mirrors(wanted_origin: str) -> dict[str, str]:
    """Return the addresses from which this machine has its packages, by the pockets that they serve."""
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    pockets: dict[str, str] = {}
    for line in listing.splitlines():
        uri, codename, origin = [*line.split(maxsplit=2), "", ""][:3]
        pocket = codename.partition("-")[2]
        if origin == wanted_origin and pocket in ("", "updates", "security"):
            pockets[pocket] = uri
    return pockets


def package_sources(release: str = DEBIAN_RELEASE) -> str:
    """Return an apt sources file (deb822) for a release of Debian or Ubuntu, from this machine's own mirrors.

    Args:
        release: its code name.

    Returns:
        The file's text; empty on a machine that knows no mirror of it, where mmdebstrap's own default serves.
    """
    if release in UBUNTU_RELEASES:
        pockets, components, signed_by = _ubuntu_mirrors(), "main universe", UBUNTU_KEYRING
    else:
        pockets, components, signed_by = _mirrors("Debian"), "main", DEBIAN_KEYRING
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {release}{pocket and '-'}{pocket}\nComponents: {components}\n"
        f"Signed-By: {signed_by}\n"
        for pocket, uri in pockets.items()
    )


def _ubuntu_mirrors() -> dict[str, str]:
    """Return Ubuntu's mirrors; on Debian the machine's own mirror, which as a rule has Ubuntu beside it."""
    if mirrors := _mirrors("Ubuntu"):
        return mirrors
    debian = _mirrors("Debian").get("", "").rstrip("/")
    ubuntu = f"{debian.removesuffix('debian')}ubuntu/"
    return dict.fromkeys(("", "updates", "security"), ubuntu) if debian.endswith("/debian") else {}


def keyring(release: str, state: Path) -> Path:
    """Return the file of the keys that sign a release: this machine's own, or out of Ubuntu's package.

    Args:
        release: its code name.
        state: a directory that keeps Ubuntu's keys.

    Raises:
        ValueError: the mirror has another package under that name.
        OSError: the mirror does not answer.
    """
    if release not in UBUNTU_RELEASES:
        return DEBIAN_KEYRING
    mirror = _ubuntu_mirrors().get("")
    if UBUNTU_KEYRING.exists() or not mirror:
        return UBUNTU_KEYRING
    kept = state.resolve() / "ubuntu-keyring" / UBUNTU_KEYRING.relative_to("/")
    if not kept.exists():
        url = f"{mirror}{KEYRING_PACKAGE}"
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - apt's own mirror
            package = answer.read()
        if hashlib.sha256(package).hexdigest() != KEYRING_SHA256:
            raise ValueError(f"{mirror} has another {KEYRING_PACKAGE} than Ubuntu")
        archive = state / "ubuntu-keyring.deb"
        archive.write_bytes(package)
        subprocess.run(["dpkg-deb", "--extract", str(archive), str(state / "ubuntu-keyring")], check=True)
    return kept


def apt_proxies() -> str:
    """Return this machine's apt proxy settings as an apt configuration file; empty without any."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(
        f"{line}\n" for line in dump.splitlines() if "::Proxy" in line and not line.endswith('"";')
    )


def name_servers() -> list[str]:
    """Return the name servers that this machine asks, but for its own, which no other host reaches."""
    text = next(path.read_text() for path in RESOLVERS if path.exists())
    words = [line.split() for line in text.splitlines() if line.startswith("nameserver ")]
    return [address for _, address, *_ in words if not ip_address(address.partition("%")[0]).is_loopback]


def host_mounts(directory: Path) -> tuple[tuple[Path, str], ...]:
    """Write what a host needs to reach the registries, and say where it belongs.

    Args:
        directory: a directory of the lab for the files written here.

    Returns:
        Pairs of a file on this machine and its path in a host, to be mounted read-only.
    """
    proxies = directory / "apt-proxies.conf"
    proxies.write_text(apt_proxies())
    mounts = [(proxies, "/etc/apt/apt.conf.d/90controller")]
    if CA_BUNDLE.exists():
        mounts.append((CA_BUNDLE, str(CA_BUNDLE)))
    return tuple(mounts)


def name_server_mount(directory: Path) -> tuple[Path, str]:
    """Write the name servers for a host that has none from cloud-init, as `host_mounts` does."""
    settings = directory / "name-servers.conf"
    settings.write_text(f"[Resolve]\nDNS={' '.join(name_servers())}\n")
    return settings, "/etc/systemd/resolved.conf.d/controller.conf"
