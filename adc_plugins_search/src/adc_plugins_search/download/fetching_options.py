"""The options of a collector that say how hosts are asked for images."""

from pydantic import Field

from adc_core import Collector


class FetchingOptions(Collector):
    """How many requests at a time, how long to wait for what, and who asks."""

    max_connections: int = Field(default=32, ge=1, description="images fetched at the same time")
    processes: int | None = Field(
        default=None,
        ge=1,
        description="processes that fetch; by default one per processor, if many images",
    )
    max_connections_per_host: int = Field(
        default=4, ge=1, description="images fetched at the same time from one host"
    )
    max_images_per_host: int | None = Field(
        default=None,
        ge=1,
        description="images of one host at most, those that were found first; by default any",
    )
    max_concurrent_searches: int = Field(default=8, ge=1, description="searches at the same time")
    timeout: float = Field(
        default=30, gt=0, description="seconds for one image, from first to last byte"
    )
    connect_timeout: float = Field(
        default=8, gt=0, description="seconds until a connection is made"
    )
    read_timeout: float = Field(
        default=10, gt=0, description="seconds between two pieces of an image"
    )
    retries: int = Field(
        default=3, ge=0, description="further attempts after an error that may pass"
    )
    backoff: float = Field(
        default=1, ge=0, description="seconds before the first of them, then doubled"
    )
    max_wait: float = Field(
        default=300,
        ge=0,
        description="longest pause, in seconds, a service may ask for; a host that costs more "
        "without giving anything is given up",
    )
    interval: float = Field(
        default=0.5,
        ge=0,
        description="seconds between two requests to one host that is not your own",
    )
    min_bytes_per_second: int = Field(
        default=1000, ge=0, description="give up images that come slower, in bytes per second"
    )
    max_consecutive_unreachable: int = Field(
        default=50,
        ge=0,
        description="images in a row without an answer, after which the work stops unless a host "
        "that answered before takes connections; 0: it never stops for that",
    )
    contact: str = Field(
        default="",
        pattern=r"^[ -~]*$",
        description="address at which servers' owners can reach you, sent with every request; "
        "needed for every host that is not among allow_hosts",
    )
    allow_hosts: tuple[str, ...] = Field(
        default=(), description="hosts of your own, private addresses too, as host:port"
    )
