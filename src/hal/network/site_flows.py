"""Which services of HAL the household's own sites lead to, so that the proxies must reach them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hal.network.catalogue import CLIENTS, Described

PROXIES = "proxies"
_PORT = re.compile(r"(?<=[\w.-]:)[0-9]{1,5}(?![\w.])")


def site_clients(
    services: Mapping[str, Described], sites: Sequence[Any], fragments: Sequence[Any]
) -> dict[str, list[str]]:
    """Return the services that a site may lead to, each with who asks it: the proxies.

    It goes by the port alone, as the catalogue is made before addresses are known, and looks only at services
    that people's computers use: the others are no site's affair. What is not well formed is passed over;
    validation names it.

    Args:
        services: every service, for all modes.
        sites: `network_sites`.
        fragments: `network_site_fragments`, in whose text a server is such as `ubuai:11434`.

    Returns:
        {service: [PROXIES]}, as `network_service_clients` has it.
    """
    texts = [str(fragment.get("text", "")) for fragment in fragments if isinstance(fragment, Mapping)]
    ports = {int(port) for text in texts for port in _PORT.findall(text)}
    ports |= {
        int(server["port"])
        for site in sites
        if isinstance(site, Mapping) and isinstance(site.get("servers"), list)
        for server in site["servers"]
        if isinstance(server, Mapping) and isinstance(server.get("port"), int)
    }
    return {
        name: [PROXIES]
        for name, service in services.items()
        if isinstance(service, Mapping)
        and service.get("port") in ports
        and service.get("group") != PROXIES
        and CLIENTS in (service.get("clients") or ())
    }
