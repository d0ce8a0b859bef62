"""The network as one SVG: hosts in layers, and an arrow for each flow that is open."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from hal.network.health import layout
from hal.network.health.layout import APPROACH, CORNER, GRID, HEAD, LINE, MARGIN, Box, Flow, Host

STATES = {"unknown": "not known", "ok": "works", "failed": "fails"}  # those drawn later lie above
KEY = "An arrow ends at a service that may be used. All else is closed."
STATES_KEY = "Solid: works. Dashed with a cross: fails. Dotted with ?: not known."

STYLE = """
.network{--paper:#fff;--ink:#1b1f24;--faint:#57606a;--box:#f6f8fa;--edge:#afb8c1;
--administrators:#7440b5;--clients:#0b5cad;--proxies:#0a7364;--gateways:#9a5200;--ai_servers:#ad2871;
--others:#57606a;--hypervisors:#57606a;--ok:#18712f;--failed:#c9101f;--unknown:#6e7781;
font:13px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
@media(prefers-color-scheme:dark){.network{--paper:#0d1117;--ink:#e6edf3;--faint:#9aa5b1;--box:#161b22;--edge:#4b535d;
--administrators:#c4a3ff;--clients:#79b8ff;--proxies:#56d4bd;--gateways:#f0b35a;--ai_servers:#ff9bd0;
--others:#a8b3bf;--hypervisors:#a8b3bf;--ok:#56d364;--failed:#ff7b72;--unknown:#8b949e}}
.network .paper{fill:var(--paper)}
.network text{fill:var(--ink)}
.network .layer,.network .about,.network .local,.network .key{fill:var(--faint);font-size:12px}
.network .name{font-weight:600;font-size:14px}
.network .port{text-anchor:end;font-variant-numeric:tabular-nums}
.network .box{fill:var(--box);stroke:var(--edge)}
.network .rule{stroke:var(--edge);stroke-width:.5}
.network .halo{fill:none;stroke:var(--paper);stroke-width:4}
.network .flow path,.network .mark{fill:none;stroke:currentColor;stroke-width:1.5}
.network .flow .tip{fill:currentColor;stroke:none}
.network .flow.failed path,.network .mark,.network .flow .mark{stroke-width:2}
.network .flow.failed .way{stroke-dasharray:7 3}
.network .flow.unknown .way{stroke-dasharray:1.5 3}
""".strip()


def _bend(points: list[tuple[int, int]]) -> str:
    """Return the path through points, at right angles, with round corners."""
    path = [f"M{points[0][0]} {points[0][1]}"]
    for before, (x, y), after in zip(points, points[1:], points[2:], strict=False):
        size = min(
            CORNER,
            max(abs(x - before[0]), abs(y - before[1])) // 2,
            max(abs(x - after[0]), abs(y - after[1])) // 2,
        )
        towards, onwards = (
            (x + size * ((end[0] > x) - (end[0] < x)), y + size * ((end[1] > y) - (end[1] < y)))
            for end in (before, after)
        )
        path.append(f"L{towards[0]} {towards[1]}Q{x} {y} {onwards[0]} {onwards[1]}")
    path.append(f"L{points[-1][0]} {points[-1][1]}")
    return "".join(path)


def _mark(state: str, x: int, y: int) -> str:
    """Return a state's mark: a tick, a cross or a question mark drawn at a place."""
    shapes = {
        "ok": f"M{x - 4} {y}l3 3l5 -7",
        "failed": f"M{x - 4} {y - 4}l8 8m0 -8l-8 8",
        "unknown": f"M{x - 2} {y - 2}q0 -3 2.5 -3q2.5 0 2.5 2.5q0 2 -2.5 2.5v1.5m0 1.5v1.5",
    }
    return f'<path class="mark" style="color:var(--{state})" d="{shapes[state]}"/>'


def _edge(box: Box, side: str) -> tuple[int, int]:
    """Return where a box meets a channel, and in which direction the channel lies from there."""
    right = side == "right" and not box.beside
    return (box.left + box.width, 1) if right else (box.left, -1)


def _arrow(source: Box, target: Box, flow: Flow, track: int, state: str) -> tuple[str, str]:
    """Return an arrow as drawn, and its way; without a state it has the colour of its source's layer."""
    side = layout.channel_of(source, target)
    entry = target.rows[flow["service"]].entries[side, source.name]
    end, outward = _edge(target, side)
    start, _ = _edge(source, side)
    way = _bend([(start, source.exit), (track, source.exit), (track, entry), (end + 4 * outward, entry)])
    told = f"{source.name} to {target.name}: {flow['service']}, port {flow['port']}, {flow['protocol']}"
    told += f", {STATES[state]}" if state else ""
    drawn = [
        f'<g class="flow {state}" style="color:var(--{state or source.layer})"><title>{escape(told)}</title>',
        f'<path class="way" d="{way}"/><path class="tip" d="M{end} {entry}l{8 * outward} -4v8z"/>',
        _mark(state, end + 16 * outward, entry) if state in ("failed", "unknown") else "",
        "</g>",
    ]
    return "".join(drawn), way


def _draw_flows(
    boxes: dict[str, Box],
    flows: Iterable[Flow],
    tracks: dict[tuple[str, str], int],
    states: dict[tuple[str, ...], str] | None,
) -> list[str]:
    """Return the arrows, source by source, each source's with a halo that parts them from those below."""
    layers: dict[tuple[str, str], list[tuple[str, str]]] = {
        (state, name): [] for state in ("", *STATES) for name in boxes
    }
    for flow in flows:
        source, target = boxes[flow["from"]], boxes[flow["to"]]
        about = (source.name, target.name, flow["service"])
        state = "" if states is None else states.get(about, "unknown")
        track = tracks[layout.channel_of(source, target), source.name]
        layers[state, source.name].append(_arrow(source, target, flow, track, state))
    lines = []
    for arrows in filter(None, layers.values()):
        lines.append(f'<path class="halo" d="{"".join(way for _, way in arrows)}"/>')
        lines += [arrow for arrow, _ in arrows]
    return lines


def _draw_box(box: Box, states: dict[tuple[str, ...], str] | None) -> list[str]:
    """Return a box with its name, its lines and its services."""
    left, right = box.left + 14, box.left + box.width - 14
    lines = [
        f'<g class="host"><rect class="box" x="{box.left}" y="{box.top}"'
        f' width="{box.width}" height="{box.height}" rx="6"/>',
        f'<path d="M{box.left} {box.top + 6}h4v{box.height - 12}h-4z" fill="var(--{box.layer})"/>',
        f'<text class="name" x="{left}" y="{box.top + 21}">{escape(box.name)}</text>',
    ]
    if states is not None:
        lines.append(_mark(states.get((box.name,), "unknown"), right - 4, box.top + 16))
    lines += [
        f'<text class="about" x="{left}" y="{box.top + HEAD + LINE * place + 11}">{escape(line)}</text>'
        for place, line in enumerate(box.lines)
    ]
    for row in box.rows.values():
        base = row.top + row.height // 2 + 4
        kind = ' class="local"' if row.local else ""
        port = f"{row.port} local" if row.local else row.port
        lines += [
            f'<path class="rule" d="M{left} {row.top}H{right}"/>',
            f'<text{kind} x="{left}" y="{base}">{escape(row.name)}</text>',
            f'<text class="port{" local" if row.local else ""}" x="{right}" y="{base}">{escape(port)}</text>',
        ]
    return [*lines, "</g>"]


def _known(states: dict[str, Any] | None) -> dict[tuple[str, ...], str] | None:
    """Return the states by (host,) and by (from, host, service), or nothing where none are given.

    Raises:
        ValueError: a state is none of those there are.
    """
    if states is None:
        return None
    known: dict[tuple[str, ...], str] = {(host,): state for host, state in states.get("hosts", {}).items()}
    for flow in states.get("flows", []):
        known[flow["from"], flow["host"], flow["service"]] = flow["state"]
    for about, state in known.items():
        if state not in STATES:
            raise ValueError(f"the state of {' '.join(about)} is {state!r}; it can be {', '.join(STATES)}")
    return known


def network_diagram(hosts: list[Host], flows: list[Flow], states: dict[str, Any] | None = None) -> str:
    """Return the network as one SVG without scripts or outside assets; the same input gives the same bytes.

    Args:
        hosts: [{name, address, layer, about, services}], as the filter `diagram_hosts` gives them. `about` is
            lines of text; `services` is [{name, port, local}], `local` being what only the host may use.
        flows: [{from, to, service, port, protocol}], as the filter `network_flows` gives them.
        states: what is known of them: {hosts: {host: state}, flows: [{from, host, service, state}]}. A state
            is `ok`, `failed` or `unknown`, as is what is not named. Without it nothing is said of states.

    Raises:
        ValueError: a flow is of a host or a service that is not among the hosts, or there is no such state.
    """
    boxes = layout.make_boxes(hosts)
    known = _known(states)
    channels = layout.enter_arrows(boxes, flows)
    column = [box for box in boxes.values() if not box.beside]
    beside = [box for box in boxes.values() if box.beside]

    def room(side: str) -> int:
        return GRID * len(channels[side]) + APPROACH

    left = MARGIN + room("left")
    titles, width, end = layout.place_column(column, left, MARGIN)
    inner = left + width
    # Half a step lower: so no horizontal line of this column is on one of the other.
    more, beside_width, beside_end = layout.place_column(
        beside, inner + room("right") + APPROACH, MARGIN + GRID // 2
    )
    whole = (inner + room("right") + APPROACH + beside_width if beside else inner + room("right")) + MARGIN
    key = [KEY] if known is None else [KEY, STATES_KEY]
    bottom = max(end, beside_end) + LINE * len(key)

    tracks = {("left", name): MARGIN + GRID * place for place, name in enumerate(channels["left"])}
    tracks |= {
        ("right", name): inner + APPROACH + GRID * place for place, name in enumerate(channels["right"])
    }
    told = f"The network: {len(boxes)} hosts and networks, {len(flows)} open flows"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="network" role="img" viewBox="0 0 {whole} {bottom}"'
        f' width="{whole}" height="{bottom}" style="max-width:100%;height:auto">',
        f"<title>{escape(told)}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{whole}" height="{bottom}"/>',
        *(f'<text class="layer" x="{x}" y="{y + 20}">{escape(text)}</text>' for text, x, y in titles + more),
        *_draw_flows(boxes, flows, tracks, known),
        *(line for box in boxes.values() for line in _draw_box(box, known)),
        *(
            f'<text class="key" x="{MARGIN}" y="{bottom - LINE * place - 14}">{text}</text>'
            for place, text in enumerate(reversed(key))
        ),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"
