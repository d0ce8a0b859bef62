"""A virtual machine's description and Proxmox' configuration strings, brought into one comparable form.

The comparable form is a dictionary with Proxmox' own keys (`net0`, `scsi0`, `ciuser`, ...) and plain
values: what a diff shows. `wanted` makes it from the module's parameters, `present` from what Proxmox has,
`encode` turns a value of it back into the string that Proxmox takes. The formats are those of the
PVE API viewer, `PUT /nodes/{node}/qemu/{vmid}/config`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

type Properties = dict[str, str]
type Config = Mapping[str, Any]

NET_MODELS = (
    "virtio", "e1000", "e1000-82540em", "e1000-82544gc", "e1000-82545em", "e1000e", "i82551", "i82557b",
    "i82559er", "ne2k_isa", "ne2k_pci", "pcnet", "rtl8139", "vmxnet3",
)  # fmt: skip
GIB = {"K": 1 / 1024**2, "M": 1 / 1024, "G": 1.0, "T": 1024.0, "": 1 / 1024**3}
DISK = re.compile(r"(?:ide|sata|scsi|virtio)\d+")
# The parameters that Proxmox calls by the same name and that need no translation.
PLAIN = ("name", "cores", "sockets", "memory", "balloon")
# What Proxmox assumes of a key that its configuration does not have.
DEFAULTS = {"cores": 1, "sockets": 1, "memory": 512, "onboot": False, "agent": False}
# What each field of a host device is called in Proxmox.
HOSTPCI = {
    "device": "host",
    "mapping": "mapping",
    "pcie": "pcie",
    "primary_gpu": "x-vga",
    "rom_bar": "rombar",
}


def parse(text: Any, default_key: str) -> Properties:
    """Split a property string such as `local-lvm:disk,size=3G`; a part without a key gets `default_key`."""
    found: Properties = {}
    for part in filter(None, str(text).split(",")):
        key, equals, value = part.partition("=")
        found[key if equals else default_key] = value if equals else part
    return found


def join(properties: Properties, default_key: str) -> str:
    """Write a property string, the part of `default_key` first and without its key."""
    parts = [properties[default_key]] if default_key in properties else []
    return ",".join(parts + [f"{key}={value}" for key, value in properties.items() if key != default_key])


def parse_network(text: Any) -> Properties:
    """Split a network device, whose model and MAC address stand together as `virtio=BC:24:11:...`."""
    found = parse(text, "model")
    for model in NET_MODELS:
        if model in found:
            found["mac"] = found.pop(model)
            found["model"] = model
    if "macaddr" in found:
        found["mac"] = found.pop("macaddr")
    return found


def size_gib(drive: Any) -> float | None:
    """Return the size of a drive in GiB, or None if its configuration does not say."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", parse(drive, "volume").get("size", ""))
    return float(found[1]) * GIB[found[2]] if found else None


def storage_of(drive: Any) -> str:
    """Return the storage that a drive is on, or an empty text."""
    volume = parse(drive, "volume").get("volume", "")
    return volume.partition(":")[0] if ":" in volume else ""


def system_disk(config: Config) -> str:
    """Return the disk that a machine starts from: the first of its boot order, else its first one."""
    disks = [key for key, drive in config.items() if DISK.fullmatch(key) and "media=cdrom" not in str(drive)]
    disks = sorted(
        (key for key in disks if "cloudinit" not in str(config[key])), key=lambda key: (len(key), key)
    )
    order = parse(config.get("boot", ""), "legacy").get("order", "").split(";")
    return next(
        (key for key in [*order, config.get("bootdisk")] if key in disks), disks[0] if disks else "scsi0"
    )


def moved_disks(params: Config, config: Config) -> list[str]:
    """Return a sentence for each disk that is on another storage than a module's parameters say."""
    found = []
    for key, disk in (params["disks"] or {}).items():
        storage = storage_of(config.get(key, ""))
        if disk.get("storage") and storage and storage != disk["storage"]:
            found.append(f"{key} is on {storage}, not on {disk['storage']}; it is not moved.")
    return found


def wanted(params: Config) -> dict[str, Any]:
    """Return the comparable form of a module's parameters; what was not given is left out.

    None stands for a key that shall not exist: an empty text or list (`surplus` adds devices).
    """
    want: dict[str, Any] = {key: params[key] for key in PLAIN if params[key] is not None}
    for key in ("onboot", "agent"):
        if params[key] is not None:
            want[key] = params[key]
    if params["description"] is not None:
        want["description"] = params["description"].strip()
    if params["tags"] is not None:
        want["tags"] = sorted({tag.lower() for tag in params["tags"]})
    if params["startup"] is not None:
        want["startup"] = _given(params["startup"])
    for index, network in enumerate(params["networks"] or []):
        want[f"net{index}"] = _given(network)
        if network["mac"]:
            want[f"net{index}"]["mac"] = network["mac"].upper()
    for index, device in enumerate(params["hostpci"] or []):
        want[f"hostpci{index}"] = _given(device)
        if device["device"]:
            want[f"hostpci{index}"]["device"] = with_domain(device["device"])
    if params["cloud_init"] is not None:
        want |= _wanted_cloud_init(params["cloud_init"])
    return {key: None if value in ("", []) else value for key, value in want.items()}


def _given(values: Config) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def with_domain(device: str) -> str:
    """Return a PCI address with its domain: Proxmox accepts 01:00.0 for 0000:01:00.0, and several."""
    return ";".join(one if one.count(":") == 2 else f"0000:{one}" for one in device.lower().split(";"))


def _wanted_cloud_init(cloud_init: Config) -> dict[str, Any]:
    want: dict[str, Any] = {}
    if cloud_init["user"] is not None:
        want["ciuser"] = cloud_init["user"]
    if cloud_init["ssh_keys"] is not None:
        want["sshkeys"] = sorted({key.strip() for key in cloud_init["ssh_keys"]})
    if cloud_init["address"] is not None:
        want["ipconfig0"] = {"ip": cloud_init["address"]}
        if cloud_init["gateway"] is not None:
            want["ipconfig0"]["gw"] = cloud_init["gateway"]
    if cloud_init["nameservers"] is not None:
        want["nameserver"] = cloud_init["nameservers"]
    if cloud_init["search_domain"] is not None:
        want["searchdomain"] = cloud_init["search_domain"]
    return want


def surplus(params: Config, config: Config) -> dict[str, None]:
    """Return the devices that exist beyond the given lists of networks and host devices."""
    found: dict[str, None] = {}
    for parameter, prefix in (("networks", "net"), ("hostpci", "hostpci")):
        if params[parameter] is not None:
            count = len(params[parameter])
            found |= {
                key: None
                for key in config
                if re.fullmatch(rf"{prefix}\d+", key) and int(key.removeprefix(prefix)) >= count
            }
    return found


def present(config: Config, want: Config) -> dict[str, Any]:
    """Return the comparable form of Proxmox' configuration, of the wanted keys and fields alone."""
    found: dict[str, Any] = {}
    for key, value in want.items():
        found[key] = _format(key).read(config[key]) if key in config else DEFAULTS.get(key)
        if isinstance(found[key], dict) and isinstance(value, dict):
            found[key] = {field: found[key].get(field) for field in value}
    return found


def encode(key: str, value: Any, raw: Any) -> str | int:
    """Return what Proxmox takes for `key`; fields of `raw`, its present string, that are not wanted stay."""
    return _format(key).write(value, raw or "")


class Format(NamedTuple):
    """How a key of the configuration is read, and written over what stands there."""

    read: Callable[[Any], Any]
    write: Callable[[Any, Any], str | int]


def _scalar(value: Any) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _scalars(values: Config) -> Properties:
    return {key: _scalar(value) for key, value in values.items()}


def _read_network(raw: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"firewall": "0"} | parse_network(raw)
    found["firewall"] = found["firewall"] == "1"
    if "tag" in found:
        found["tag"] = int(found["tag"])
    if "mac" in found:
        found["mac"] = found["mac"].upper()
    return found


def _write_network(value: Config, raw: Any) -> str:
    found = parse_network(raw) | _scalars(value)
    model, mac = found.pop("model"), found.pop("mac", None)
    # Without an address Proxmox makes one; a known one is kept, or the guest would get a new interface.
    return ",".join(
        [f"{model}={mac}" if mac else model] + [f"{name}={field}" for name, field in found.items()]
    )


def _read_host_device(raw: Any) -> dict[str, Any]:
    properties = parse(raw, "host")
    found: dict[str, Any] = {name: properties[key] for name, key in HOSTPCI.items() if key in properties}
    if "device" in found:
        found["device"] = with_domain(found["device"])
    # Proxmox' defaults: the PCI bus, not the primary display, with its option ROM visible.
    for name, default in (("pcie", "0"), ("primary_gpu", "0"), ("rom_bar", "1")):
        found[name] = found.get(name, default) == "1"
    return found


def _write_host_device(value: Config, raw: Any) -> str:
    found = parse(raw, "host") | {HOSTPCI[name]: field for name, field in _scalars(value).items()}
    found.pop("host" if "mapping" in value else "mapping", None)
    return join(found, "host")


def _read_list(raw: Any) -> list[str]:
    return [item for item in re.split(r"[;, ]+", str(raw).strip()) if item]


FORMATS = (
    (re.compile(r"net\d+"), Format(_read_network, _write_network)),
    (re.compile(r"hostpci\d+"), Format(_read_host_device, _write_host_device)),
    (
        re.compile(r"startup"),
        Format(
            lambda raw: {name: int(value) for name, value in parse(raw, "order").items()},
            lambda value, raw: ",".join(f"{k}={v}" for k, v in (parse(raw, "order") | value).items()),
        ),
    ),
    (
        re.compile(r"ipconfig\d+"),
        Format(
            lambda raw: parse(raw, "ip"),
            lambda value, raw: ",".join(f"{k}={v}" for k, v in (parse(raw, "ip") | value).items()),
        ),
    ),
    (
        re.compile(r"sshkeys"),
        Format(
            lambda raw: sorted({line.strip() for line in unquote(raw).splitlines() if line.strip()}),
            # The value itself is URL-encoded, beside the encoding of the form that carries it.
            lambda value, _: quote("\n".join(value) + "\n", safe=""),
        ),
    ),
    (
        re.compile(r"tags"),
        Format(
            lambda raw: sorted({tag.lower() for tag in _read_list(raw)}), lambda value, _: ";".join(value)
        ),
    ),
    (re.compile(r"nameserver"), Format(_read_list, lambda value, _: " ".join(value))),
    (
        re.compile(r"agent"),
        Format(
            lambda raw: parse(raw, "enabled").get("enabled") == "1",
            lambda value, raw: join(parse(raw, "enabled") | {"enabled": _scalar(value)}, "enabled"),
        ),
    ),
    (re.compile(r"onboot"), Format(lambda raw: str(raw) == "1", lambda value, _: int(value))),
    (
        re.compile(r"memory"),
        Format(lambda raw: int(parse(raw, "current")["current"]), lambda value, _: value),
    ),
    (re.compile(r"cores|sockets|balloon"), Format(int, lambda value, _: value)),
    (DISK, Format(lambda raw: {"size_gib": size_gib(raw)}, lambda value, _: str(value))),
    # Proxmox ends a description with a line feed of its own.
    (re.compile(r".*"), Format(lambda raw: str(raw).strip(), lambda value, _: value)),
)


def _format(key: str) -> Format:
    return next(found for pattern, found in FORMATS if pattern.fullmatch(key))
