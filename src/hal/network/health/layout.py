"""Where everything stands in the drawing of the network: boxes in columns, and a line for each arrow.

Nothing is placed by eye, so the drawing holds for any number of hosts. Those on a question's way stand in one
column, layer under layer, the others in a second one beside it. Arrows leave a host by a line of its own in
the channel beside the column and end at the service that is used, so its row is every arrow's label.
Horizontal lines of the two columns are on different halves of a grid and so never lie on each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hal.network.catalogue import ADMINISTRATORS, CLIENTS
from hal.network.flows import NAMES, named_networks
from hal.network.model import Network

type Host = dict[str, Any]
type Flow = dict[str, Any]

LAYERS = {
    ADMINISTRATORS: "Administration",
    CLIENTS: "Clients",
    "proxies": "Proxies",
    "gateways": "Gateways, QM server",
    "ai_servers": "AI servers",
}
OTHERS = "others"
BESIDE = {OTHERS: "Backups and monitoring", "hypervisors": "Hypervisors"}

# Pixels. Whatever decides where a line runs is a multiple of GRID.
GRID = 10
MARGIN = 20
HEAD = 30  # of a box: its name
LINE = 20  # of a box: a line of text below the name, or a service
TITLE = 30  # of a layer
GAP = 20  # between boxes
APPROACH = 30  # between a box and the nearest line beside it: arrow head and mark
CORNER = 4
LETTER = 7.4  # width of a letter, at most, as wide as the fonts of phones and computers have it
NARROWEST = 190


@dataclass
class Row:
    """A service in a box, and how high each arrow enters it, by the side on which it does and its source."""

    name: str
    port: str
    local: bool
    top: int = 0
    entries: dict[tuple[str, str], int] = field(default_factory=dict)

    def entering(self, side: str) -> list[tuple[str, str]]:
        """Return which arrows enter on one side."""
        return [entry for entry in self.entries if entry[0] == side]

    @property
    def most(self) -> int:
        """How many arrows enter on the side where more do."""
        return max(len(self.entering("left")), len(self.entering("right")))

    @property
    def height(self) -> int:
        """Pixels, with room for each arrow."""
        return max(LINE, GRID * (self.most + 1))


@dataclass
class Box:
    """A host as it is drawn: where, and what is in it."""

    host: Host
    layer: str
    beside: bool
    rows: dict[str, Row]
    left: int = 0
    top: int = 0
    width: int = NARROWEST

    @property
    def name(self) -> str:
        """The host's name."""
        return str(self.host["name"])

    @property
    def lines(self) -> list[str]:
        """What stands below the name."""
        return [line for line in (self.host.get("address", ""), *self.host.get("about", [])) if line]

    @property
    def height(self) -> int:
        """Pixels, with all lines and services."""
        space = GRID if self.lines or self.rows else 0
        return HEAD + LINE * len(self.lines) + sum(row.height for row in self.rows.values()) + space

    @property
    def exit(self) -> int:
        """How high arrows leave the box."""
        return self.top + LINE


def diagram_hosts(network: Network) -> list[Host]:
    """Return the hosts and networks that are drawn: [{name, address, layer, about, services}].

    The addresses of the network are what is said of each host's, those of the hypervisors among them.
    """
    sources = [
        {"name": name, "address": "", "layer": group, "about": network.networks[group], "services": []}
        for group, name in NAMES.items()
        if network.networks.get(group)
    ]
    groups = network.groups
    hypervisors, guests = list(groups.get("hypervisors", ())), groups.get("virtual_machines", ())
    hosts = [
        {
            "name": host,
            "address": network.addresses.get(host, ""),
            "layer": next((layer for layer in LAYERS | BESIDE if host in groups.get(layer, ())), OTHERS),
            "about": [f"runs {guest}" for guest in guests] if [host] == hypervisors else [],
            "services": [
                {"name": service.name, "port": service.port, "local": network.is_local(service)}
                for service in network.services_of(host)
            ],
        }
        for host in [*groups.get("managed_hosts", ()), *hypervisors]
    ]
    named = dict.fromkeys(name for service in network.services.values() for name in named_networks(service))
    sources += [
        {"name": name, "address": "", "layer": CLIENTS, "about": [], "services": []} for name in named
    ]
    return sources + hosts


def make_boxes(hosts: Iterable[Host]) -> dict[str, Box]:
    """Return a box for each host, not yet placed, in the order in which they are drawn."""
    found = []
    for host in hosts:
        layer = host["layer"] if host.get("layer") in LAYERS | BESIDE else OTHERS
        rows = {
            service["name"]: Row(service["name"], str(service["port"]), bool(service.get("local")))
            for service in host.get("services", [])
        }
        found.append(Box(host, layer, layer in BESIDE, rows))
    order = list(LAYERS | BESIDE)
    return {box.name: box for box in sorted(found, key=lambda box: order.index(box.layer))}


def channel_of(source: Box, target: Box) -> str:
    """Return by which channel a flow goes: left for what a question takes, right for all else."""
    inner = source.beside or target.beside or source.layer == ADMINISTRATORS
    return "right" if inner else "left"


def enter_arrows(boxes: dict[str, Box], flows: Iterable[Flow]) -> dict[str, list[str]]:
    """Note in each row which arrows enter it, and return whose arrows are in each channel, in order.

    Raises:
        ValueError: a flow is of a host or a service that is not drawn.
    """
    channels: dict[str, list[str]] = {"left": [], "right": []}
    for flow in flows:
        for end in ("from", "to"):
            if flow[end] not in boxes:
                raise ValueError(
                    f"a flow {end} {flow[end]!r} has no host of that name; there are {', '.join(boxes)}"
                )
        source, target = boxes[flow["from"]], boxes[flow["to"]]
        if flow["service"] not in target.rows:
            raise ValueError(f"a flow uses {flow['service']!r} on {target.name}, which has no such service")
        side = channel_of(source, target)
        target.rows[flow["service"]].entries[side, source.name] = 0
        if source.name not in channels[side]:
            channels[side].append(source.name)
    order = list(boxes)
    for sources in channels.values():
        # Those beside come first, nearest to the column that they watch; then in the order of the layers.
        sources.sort(key=lambda name: (not boxes[name].beside, order.index(name)))
    for row in (row for box in boxes.values() for row in box.rows.values()):
        row.entries = {
            (side, name): 0 for side in channels for name in channels[side] if (side, name) in row.entries
        }
    return channels


def place_column(boxes: Iterable[Box], left: int, top: int) -> tuple[list[tuple[str, int, int]], int, int]:
    """Place the boxes of a column; return the titles (text, left, top), its width and where it ends."""
    column = list(boxes)
    texts = [line for box in column for line in (*box.lines, box.name)]
    texts += [f"{row.name}   {row.port} local" for box in column for row in box.rows.values()]
    width = max([NARROWEST, *(GRID * (int(len(text) * LETTER) // GRID + 4) for text in texts)])
    titles, layer = [], ""
    for box in column:
        if box.layer != layer:
            titles.append(((LAYERS | BESIDE)[box.layer], left, top))
            top += TITLE
            layer = box.layer
        box.left, box.top, box.width = left, top, width
        below = top + HEAD + LINE * len(box.lines)
        for row in box.rows.values():
            row.top = below
            for side in ("left", "right"):
                entering = row.entering(side)
                above = (row.most - len(entering)) // 2
                row.entries |= {
                    entry: below + GRID * (above + place) for place, entry in enumerate(entering, start=1)
                }
            below += row.height
        top += box.height + GAP
    return titles, width, top
