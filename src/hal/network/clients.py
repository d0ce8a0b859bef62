"""What clients are told of the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hal.network.model import VIRTUAL_HOST, Network


def client_environment(
    network: Network,
    client: str,
    administrator: str,
    proxmox: Mapping[str, Any],
    *,
    encrypted: bool = False,
) -> dict[str, Any]:
    """Return the variables of network_config.sh, under the names that clients use today.

    Of the language model and speech it names what the client may use. Where the proxies share an address,
    people ask there: it stays when a proxy or a gateway is lost.

    Args:
        network: the network.
        client: the host.
        administrator: who logs in to the proxy.
        proxmox: the Proxmox API, {host, user}.
        encrypted: whether it is to ask the proxy, encrypted, as when it has a token or needs one.
    """
    services, addresses = network.services, network.addresses
    qm, ai, proxy = (network.groups[group][0] for group in ("qm_servers", "ai_servers", "proxies"))
    gateway, speech, ollama = services["gateway"], services["speech"], services["ollama"]
    asked = VIRTUAL_HOST if VIRTUAL_HOST in addresses else qm
    port = gateway.port if asked == qm else services["proxy_gateway"].port
    named = proxy if asked == qm else asked
    https = services["proxy_https"].port
    variables = {
        "HAL_GATEWAY_URL": f"wss://{named}{'' if https == 443 else f':{https}'}"
        if encrypted
        else f"ws://{addresses[asked]}:{port}",
        "HAL_SPEECH_URL": f"https://{named}",
        "HAL_CA_FILE": "/etc/hal/ca.crt",
        "HAPROXY_HOST": addresses[proxy],
        "HAPROXY_SSH_PORT": services["ssh_proxy"].port,
        "HAPROXY_USER": administrator,
        "PROXMOX_HOST": proxmox["host"],
        "PROXMOX_USER": proxmox["user"].partition("@")[0],
        "QM_HOST": addresses[qm],
        "QM_VOICE_PORT": services.get("listener", gateway).port,
        "QM_GATEWAY_PORT": gateway.port,
    }
    if network.may_connect(client, ollama):
        variables |= {
            "OLLAMA_HOST": addresses[ai],
            "OLLAMA_PORT": ollama.port,
            "OLLAMA_URL": network.urls(ollama)[0],
        }
    if network.may_connect(client, speech):
        variables["WHISPER_URL"] = f"{network.urls(speech)[0]}/transcribe"
    return variables
