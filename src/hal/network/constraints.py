"""For which names the household's authority can vouch: for none of the internet's, whoever has its key."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Network

from cryptography import x509

# Addresses of houses and of hosts themselves; the last but one is reserved for test networks, as the lab is.
PRIVATE: tuple[IPv4Network | IPv6Network, ...] = (
    *map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")),
    *map(IPv4Network, ("127.0.0.0/8", "169.254.0.0/16", "198.18.0.0/15")),
    *map(IPv6Network, ("::1/128", "fc00::/7", "fe80::/10")),
)
# A constraint cannot say "no name with a dot in it", and one that permits the present hosts alone would have
# each host that is added later refused. So it excludes the domains of countries, and the generic ones that
# most of the internet's names are in. Not `arpa`: households use home.arpa.
_COUNTRIES = """
ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo br bs bt bw by bz ca cc
cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg er es et eu fi fj fk fm fo fr ga
gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp
ke kg kh ki km kn kp kr kw ky kz la lb lc li lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms
mt mu mv mw mx my mz na nc ne nf ng ni nl no np nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro
rs ru rw sa sb sc sd se sg sh si sk sl sm sn so sr ss st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt
tv tw tz ua ug uk us uy uz va vc ve vg vi vn vu wf ws ye yt za zm zw
"""
_GENERIC = """
com net org edu gov mil int info biz name pro aero coop museum jobs mobi travel tel cat asia post
app bank blog club design dev digital email fun health icu insurance life link live media money news one
online page pharmacy sbs shop site space store tech today top vip website work world xyz zip
"""
PUBLIC = tuple(f"{_COUNTRIES} {_GENERIC}".split())


def constraints_for(names: Iterable[str]) -> x509.NameConstraints:
    """Return the constraints of an authority that must be able to vouch for some names.

    It permits them, every address of a house, and every name outside the internet's domains.

    Args:
        names: the household's names and IPv4 addresses.
    """
    hosts, addresses = _apart(names)
    own = [IPv4Network(address) for address in addresses if not _is_in(address, PRIVATE)]
    excluded = [domain for domain in PUBLIC if not any(_is_below(host, domain) for host in hosts)]
    return x509.NameConstraints(
        permitted_subtrees=[x509.IPAddress(network) for network in (*PRIVATE, *own)],
        excluded_subtrees=[x509.DNSName(domain) for domain in excluded],
    )


def refused_names(authority: x509.Certificate, names: Iterable[str]) -> list[str]:
    """Return for which of some names and IPv4 addresses an authority cannot vouch."""
    constraints = constraints_of(authority)
    if constraints is None:
        return []
    permitted = [
        name.value for name in constraints.permitted_subtrees or () if isinstance(name, x509.IPAddress)
    ]
    excluded = [name.value for name in constraints.excluded_subtrees or () if isinstance(name, x509.DNSName)]
    hosts, addresses = _apart(names)
    return [host for host in hosts if any(_is_below(host, domain) for domain in excluded)] + [
        str(address) for address in addresses if permitted and not _is_in(address, permitted)
    ]


def constraints_of(authority: x509.Certificate) -> x509.NameConstraints | None:
    """Return the name constraints of an authority's certificate; None: it has none."""
    try:
        return authority.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None


def _apart(names: Iterable[str]) -> tuple[list[str], list[IPv4Address]]:
    """Return names of hosts, and addresses."""
    hosts, addresses = [], []
    for name in names:
        try:
            addresses.append(IPv4Address(name))
        except AddressValueError:
            hosts.append(name)
    return hosts, addresses


def _is_below(host: str, domain: str) -> bool:
    return f".{host.lower()}".endswith(f".{domain}")


def _is_in(address: IPv4Address, networks: Iterable[object]) -> bool:
    return any(isinstance(network, IPv4Network) and address in network for network in networks)
