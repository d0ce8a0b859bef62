"""The flows that are open, as data and as the drawing of the network."""

import copy
import itertools
from xml.etree import ElementTree

import pytest
from filter_plugins import hal as filters

from hal.network.health import diagram as diagrams

SVG = "{http://www.w3.org/2000/svg}"
NETWORKS = {"administrators": ["198.18.0.1/32"], "clients": ["198.18.61.0/24", "198.18.62.0/24"]}
DIAGRAM = {
    "hosts": [
        {"name": "mac", "address": "198.18.60.10", "layer": "clients", "services": []},
        {"name": "qm1", "layer": "gateways", "services": [{"name": "gateway", "port": 8768}]},
    ],
    "flows": [{"from": "mac", "to": "qm1", "service": "gateway", "port": 8768, "protocol": "websocket"}],
}  # fmt: skip


@pytest.fixture
def described(catalogue):
    """Return what is drawn of a network: hosts and flows."""

    def describe(network):
        arguments = (catalogue, network["groups"], network["addresses"], NETWORKS)
        return {"hosts": filters.diagram_hosts(*arguments), "flows": filters.network_flows(*arguments)}

    return describe


def drawn(**diagram):
    """Return the drawing, read as XML."""
    return ElementTree.fromstring(diagrams.network_diagram(**diagram))


def boxes(svg):
    """Return the boxes as (left, top, right, bottom), by the host's name."""
    found = {}
    for host in svg.findall(f".//{SVG}g[@class='host']"):
        box = host.find(f"{SVG}rect")
        left, top, width, height = (int(box.get(key)) for key in ("x", "y", "width", "height"))
        found[host.find(f"{SVG}text[@class='name']").text] = (left, top, left + width, top + height)
    return found


def texts(element):
    """Return all that is written in it."""
    return [text.text for text in element.iter(f"{SVG}text")]


def corners(way):
    """Return the points of a path of straight lines and round corners."""
    pairs = way.replace("M", " ").replace("L", " ").replace("Q", " ").split()
    return [tuple(map(int, pair)) for pair in zip(pairs[::2], pairs[1::2], strict=True)]


def ways(svg):
    """Return (the flow's title, its points) of each arrow."""
    return [
        (flow.find(f"{SVG}title").text, corners(flow.find(f"{SVG}path[@class='way']").get("d")))
        for flow in svg.iter(f"{SVG}g")
        if "flow" in flow.get("class").split()
    ]


def test_the_flows_are_those_that_the_firewalls_open(catalogue, pairs):
    told = {
        (flow["to"], flow["port"], source)
        for flow in filters.network_flows(catalogue, **pairs, networks=NETWORKS)
        for source in {
            "administrators": NETWORKS["administrators"],
            "client networks": NETWORKS["clients"],
        }.get(flow["from"], [pairs["addresses"].get(flow["from"])])
    }
    opened = {
        (host, rule.get("port", 112), rule["from"])
        for host in pairs["groups"]["managed_hosts"]
        for rule in filters.firewall_rules(
            catalogue,
            host,
            **pairs,
            administrators=NETWORKS["administrators"],
            client_networks=NETWORKS["clients"],
        )
    }
    assert told == opened
    assert len(opened) > 50


def test_without_networks_no_flow_comes_from_one(catalogue, network):
    sources = {flow["from"] for flow in filters.network_flows(catalogue, **network)}
    assert sources == {"mac", "haproxy", "qm1", "ubuai", "nas"}


def test_a_client_without_an_address_is_drawn_and_has_no_flow_of_its_own(catalogue, network):
    del network["addresses"]["mac"]
    flows = filters.network_flows(catalogue, **network, networks=NETWORKS)
    assert "mac" not in {flow["from"] for flow in flows}
    assert ("client networks", "haproxy") in {(flow["from"], flow["to"]) for flow in flows}
    svg = drawn(hosts=filters.diagram_hosts(catalogue, **network, networks=NETWORKS), flows=flows)
    assert "mac" in boxes(svg)


def test_every_host_with_its_services_and_every_flow_is_drawn(described, pairs):
    described = described(pairs)
    svg = drawn(**described)
    assert set(boxes(svg)) == {host["name"] for host in described["hosts"]}
    for host in described["hosts"]:
        box = next(box for box in svg.findall(f".//{SVG}g[@class='host']") if texts(box)[0] == host["name"])
        for service in host["services"]:
            place = texts(box).index(service["name"])
            assert texts(box)[place + 1].split()[0] == str(service["port"])
    expected = [
        f"{flow['from']} to {flow['to']}: {flow['service']}, port {flow['port']}"
        for flow in described["flows"]
    ]
    assert sorted(title.rpartition(",")[0] for title, _ in ways(svg)) == sorted(expected)


@pytest.mark.parametrize("doubled", [False, True])
def test_boxes_keep_apart_and_within_the_drawing(described, network, pairs, doubled):
    svg = drawn(**described(pairs if doubled else network))
    for (one, first), (other, second) in itertools.combinations(boxes(svg).items(), 2):
        apart = first[2] < second[0] or second[2] < first[0] or first[3] < second[1] or second[3] < first[1]
        assert apart, f"{one} overlaps {other}"
    _, _, width, height = map(int, svg.get("viewBox").split())
    assert all(
        left > 0 and top > 0 and right < width and bottom < height
        for left, top, right, bottom in boxes(svg).values()
    )


def test_no_arrow_runs_through_a_box_and_no_two_lie_on_each_other(described, pairs):
    svg = drawn(**described(pairs))
    horizontal = {}
    for title, points in ways(svg):
        source = title.partition(" to ")[0]
        for (x1, y1), (x2, y2) in itertools.pairwise(points):
            low, high, top, bottom = min(x1, x2), max(x1, x2), min(y1, y2), max(y1, y2)
            assert not [
                name
                for name, (left, above, right, below) in boxes(svg).items()
                if low < right and high > left and top < below and bottom > above
            ], title
            if y1 == y2 and high - low > diagrams.CORNER:
                horizontal.setdefault(y1, []).append((low, high, source))
    for lines in horizontal.values():
        for one, other in itertools.combinations(lines, 2):
            assert one[2] == other[2] or one[1] <= other[0] or other[1] <= one[0], (one, other)


def test_each_arrow_ends_at_the_side_of_its_services_box(described, pairs):
    svg = drawn(**described(pairs))
    for title, points in ways(svg):
        left, top, right, bottom = boxes(svg)[title.partition(" to ")[2].partition(":")[0]]
        x, y = points[-1]
        assert min(abs(x - left), abs(x - right)) <= 4 and top < y < bottom, title


def test_text_is_escaped():
    diagram = copy.deepcopy(DIAGRAM)
    diagram["hosts"][0] |= {"name": "<mac>&", "about": ['"a" & <b>']}
    diagram["flows"][0] |= {"from": "<mac>&", "protocol": "<ws>"}
    svg = drawn(**diagram)
    assert {"<mac>&", '"a" & <b>'} <= set(texts(svg))
    assert ways(svg)[0][0] == "<mac>& to qm1: gateway, port 8768, <ws>"


def test_the_drawing_is_the_same_each_time_and_needs_nothing_else(described, network):
    described = described(network)
    first = diagrams.network_diagram(**described)
    assert first == diagrams.network_diagram(**copy.deepcopy(described))
    assert not [word for word in ("<script", "href", "url(", "@import") if word in first]
    svg = ElementTree.fromstring(first)
    assert svg.get("role") == "img"
    assert (
        svg.find(f"{SVG}title").text
        == f"The network: {len(described['hosts'])} hosts and networks, {len(described['flows'])} open flows"
    )
    assert "prefers-color-scheme:dark" in svg.find(f"{SVG}style").text


@pytest.mark.parametrize(
    ("state", "told", "marks"), [("ok", "works", 0), ("failed", "fails", 1), ("unknown", "not known", 1)]
)
def test_a_state_is_told_by_more_than_colour(state, told, marks):
    flow = {"from": "mac", "host": "qm1", "service": "gateway", "state": state}
    svg = drawn(**DIAGRAM, states={"hosts": {"mac": "ok", "qm1": state}, "flows": [flow]})
    arrow = svg.find(f".//{SVG}g[@class='flow {state}']")
    assert ways(svg)[0][0].endswith(f", {told}")
    assert len(arrow.findall(f"{SVG}path[@class='mark']")) == marks
    hosts = svg.findall(f".//{SVG}g[@class='host']")
    shapes = [host.find(f"{SVG}path[@class='mark']").get("d").split("l")[1:] for host in hosts]
    assert (shapes[0] == shapes[1]) == (state == "ok")
    assert any("Dashed" in text for text in texts(svg))


def test_what_is_not_named_is_not_known_and_without_states_nothing_is_said():
    assert ways(drawn(**DIAGRAM, states={}))[0][0].endswith(", not known")
    plain = drawn(**DIAGRAM)
    assert ways(plain)[0][0].endswith(", websocket")
    assert not plain.findall(f".//{SVG}path[@class='mark']")


@pytest.mark.parametrize(
    ("change", "states", "message"),
    [
        ({"from": "pc"}, None, "a flow from 'pc' has no host of that name; there are mac, qm1"),
        ({"service": "tts"}, None, "a flow uses 'tts' on qm1, which has no such service"),
        ({}, {"hosts": {"qm1": "broken"}}, "the state of qm1 is 'broken'; it can be unknown, ok, failed"),
    ],
)
def test_what_cannot_be_drawn_is_named(change, states, message):
    diagram = copy.deepcopy(DIAGRAM)
    diagram["flows"][0] |= change
    with pytest.raises(ValueError, match=message):
        diagrams.network_diagram(**diagram, states=states)
