"""Hand this machine's own package registries on to the lab's hosts.

The lab runs wherever its controller can install packages: behind a mirror, a proxy or a private CA.
So nothing here names a registry; everything is read from the controller's configuration at run time.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

DEBIAN_RELEASE = "trixie"
DEBIAN_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def debian_sources() -> str:
    """Return an apt sources file (deb822) for the lab's Debian release, from this machine's own mirrors.

    Returns:
        The file's text; empty on a machine that is not Debian, where mmdebstrap's own default serves.
    """
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(ORIGIN)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    suites: dict[str, str] = {}
    for line in listing.splitlines():
        uri, codename, origin = [*line.split(maxsplit=2), "", ""][:3]
        if origin != "Debian":
            continue
        release, _, pocket = codename.partition("-")
        if pocket in ("", "updates", "security"):
            suites[DEBIAN_RELEASE + codename.removeprefix(release)] = uri
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\nSigned-By: {DEBIAN_KEYRING}\n"
        for suite, uri in suites.items()
    )


def apt_proxies() -> str:
    """Return this machine's apt proxy settings as an apt configuration file; empty without any."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    return "".join(
        f"{line}\n" for line in dump.splitlines() if "::Proxy" in line and not line.endswith('"";')
    )


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
