"""How to fetch: the options of the downloader that a request depends on."""

from dataclasses import dataclass

from adc_plugins_search.download.http.opt_out import Rule
from adc_plugins_search.download.http.ssrf_guard import Endpoint


@dataclass(frozen=True)
class FetchRules:
    """How to fetch.

    Attributes:
        max_connections: requests at the same time, in all processes together.
        max_connections_per_host: requests at the same time to one host.
        timeout: seconds for one request, from first to last byte.
        connect_timeout: seconds until a connection is made.
        read_timeout: seconds between two pieces of a body.
        retries: further attempts after an error that may pass.
        backoff: seconds before the first of them; doubled each time.
        max_wait: seconds, the longest pause that a server may ask for, and the longest time that a
            host may cost in a row without giving anything.
        max_bytes: larger files are refused.
        user_agent: how the client names itself.
        allowed: private addresses that may be asked.
        own: hosts and ports of the user's own, which are asked without pauses between requests.
        interval: seconds between two requests to any other host.
        min_bytes_per_second: bytes per second below which a body is given up.
        ignore: rules of servers that the user has chosen not to keep.
        max_consecutive_unreachable: images in a row without an answer that may be chance; 0 for
            any number.
        named: whether the user agent says whom to write to; else only own hosts are asked.
    """

    max_connections: int
    max_connections_per_host: int
    timeout: float
    connect_timeout: float
    read_timeout: float
    retries: int
    backoff: float
    max_wait: float
    max_bytes: int
    user_agent: str
    allowed: frozenset[Endpoint]
    own: frozenset[Endpoint] = frozenset()
    interval: float = 0.0
    min_bytes_per_second: int = 0
    ignore: frozenset[Rule] = frozenset()
    max_consecutive_unreachable: int = 0
    named: bool = True
