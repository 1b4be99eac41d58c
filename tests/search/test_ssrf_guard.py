import ipaddress
import socket

import pytest

from adc_core.errors import InputError
from adc_plugins_search.download.http.ssrf_guard import (
    BlockedAddressError,
    guarded_sockets,
    is_public,
    resolve,
    split_endpoint,
)


@pytest.mark.parametrize(
    "address",
    [
        "93.184.215.14",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
        "::ffff:93.184.215.14",
        "64:ff9b::93.184.215.14",
        "2002:5db8:d70e::1",
    ],
)
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.255.255.254",
        "10.1.2.3",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "0.0.0.0",
        "0.1.2.3",
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "::7f00:1",
        "::10.0.0.1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:224.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::168.63.129.16",
        "64:ff9b:1::7f00:1",
        "64:ff9b:1:abcd::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::",
        "2002:c0a8:101::1",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
        "2001:0:5db8:d80e:8000:0:5601:5601",
        "2001:db8::1",
        "2001:10::1",
        "100::1",
        "3fff::1",
        "5f00::1",
    ],
)
def test_private_addresses_and_their_disguises(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


def make(address: str, port: int, *allowed: str) -> None:
    guard = guarded_sockets(resolve(allowed))
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    target = (address, port, 0, 0) if ":" in address else (address, port)
    guard((family, socket.SOCK_STREAM, 0, "", target)).close()


def test_allowed_is_one_port_of_one_address() -> None:
    make("127.0.0.1", 8765, "127.0.0.1:8765")
    make("::ffff:127.0.0.1", 8765, "127.0.0.1:8765")
    make("127.0.0.1", 8765, "localhost:8765")
    for address, port in (("127.0.0.1", 8766), ("127.0.0.2", 8765), ("10.0.0.1", 8765)):
        with pytest.raises(BlockedAddressError) as raised:
            make(address, port, "127.0.0.1:8765")
        assert str(raised.value) == "the address is not on the public internet"


def test_scoped_addresses_are_understood() -> None:
    with pytest.raises(BlockedAddressError):
        make("fe80::1%lo", 80)


def test_endpoints() -> None:
    assert split_endpoint("gallery.local:80") == ("gallery.local", 80)
    assert split_endpoint("[::1]:8765") == ("::1", 8765)


@pytest.mark.parametrize("text", ["localhost", "localhost:", ":80", "a:b", "a:0", "a:70000"])
def test_bad_endpoints(text: str) -> None:
    with pytest.raises(ValueError) as raised:
        split_endpoint(text)
    assert str(raised.value) == f"{text!r} is not host:port, such as 127.0.0.1:8765"


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(InputError) as raised:
        resolve(["no-such-host.invalid:80"])
    assert str(raised.value) == (
        "allow_hosts: 'no-such-host.invalid' cannot be resolved: correct it"
    )
