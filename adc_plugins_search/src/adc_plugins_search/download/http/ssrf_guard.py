"""No connection into a private network: checked for the resolved address of every connection.

Web pages can name addresses inside the user's own network, directly, by a domain name or by a
redirect. A check of the address text misses most of that, so the check is made where sockets are
created.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from adc_core import InputError

if TYPE_CHECKING:  # the supervisor needs no client
    from aiohttp import AddrInfoType, SocketFactoryType

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "168.63.129.16/32",  # Azure answers its machines there, metadata among it
        "192.0.0.0/24",  # RFC 6890; Oracle's metadata service is there
        "192.88.99.0/24",  # RFC 7526, relays of 6to4
        "::/96",  # RFC 4291, IPv4-compatible, deprecated
        "::ffff:0:0:0/96",  # RFC 7915, IPv4-translated
        "64:ff9b:1::/48",  # RFC 8215, NAT64 of a local network
        "fec0::/10",  # RFC 3879, site-local, deprecated
        "3fff::/20",  # RFC 9637, documentation
        "5f00::/16",  # RFC 9602, segment routing
    )
)
"""What Python 3.11 takes to be global and what is not, or what no image comes from."""

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Endpoint = tuple[str, int]


NOT_PUBLIC = "the address is not on the public internet"
"""What is said of a connection that was not made."""


class BlockedAddressError(OSError):
    """A connection to an address that is not on the public internet was asked for."""


def is_public(address: IPAddress) -> bool:
    """Tell whether an address is on the public internet, seen through IPv4-in-IPv6 forms."""
    address = _embedded(address)
    never = any(address in network for network in _NEVER if network.version == address.version)
    return address.is_global and not (never or address.is_multicast)


def names_private(host: str) -> bool:
    """Tell whether a host is `localhost`, or a private address itself.

    It only says that nobody need be looked up; what is let through, the sockets decide.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return not is_public(ipaddress.ip_address(name.partition("%")[0]))
    except ValueError:
        return False


def _embedded(address: IPAddress) -> IPAddress:
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if inner := address.ipv4_mapped or address.sixtofour:
        return inner
    if address.teredo:
        return address.teredo[1]
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def split_endpoint(text: str) -> Endpoint:
    """Return the host and the port of "host:port", "[::1]:80" included.

    Raises:
        ValueError: another form.
    """
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (colon and host and port.isdecimal() and 0 < int(port) < 65_536):
        raise ValueError(f"{text!r} is not host:port, such as 127.0.0.1:8765")
    return host, int(port)


def resolve(endpoints: Iterable[str]) -> frozenset[Endpoint]:
    """Return the numeric addresses of some "host:port".

    Raises:
        InputError: a host is unknown.
    """
    found: set[Endpoint] = set()
    for endpoint in endpoints:
        host, port = split_endpoint(endpoint)
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError:
            raise InputError(f"allow_hosts: {host!r} cannot be resolved: correct it") from None
        found.update((str(_address(info[4])), port) for info in infos)
    return frozenset(found)


def guarded_sockets(allowed: frozenset[Endpoint]) -> "SocketFactoryType":
    """Return a socket factory that only serves public addresses, and the ones allowed by name.

    Args:
        allowed: numeric address and port of each exception.
    """

    def make(info: "AddrInfoType") -> socket.socket:
        family, kind, protocol, _, target = info
        address = _address(target)
        if not is_public(address) and (str(_embedded(address)), target[1]) not in allowed:
            # The same text for every address of a name: aiohappyeyeballs then keeps the type.
            raise BlockedAddressError(NOT_PUBLIC)
        return socket.socket(family, kind, protocol)

    return make


def _address(target: tuple[object, ...]) -> IPAddress:
    return ipaddress.ip_address(str(target[0]).partition("%")[0])
