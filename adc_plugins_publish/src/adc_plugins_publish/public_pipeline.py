"""The pipeline that made a dataset, as it may be published with it."""

import ipaddress
from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from urllib.parse import urlsplit

import yaml

_PERSONAL = frozenset({"contact", "allow_hosts"})
"""Options that say how somebody is reached, and which machines are theirs."""


def public_pipeline(pipeline: str) -> str:
    """Leave out of a pipeline what is of no use to others, and not theirs to know.

    That is how to reach the person who ran it, addresses of their own machines, and the folders in
    which their files are.

    Args:
        pipeline: YAML.
    """
    text: str = yaml.safe_dump(
        _public(yaml.safe_load(pipeline)), sort_keys=False, allow_unicode=True
    )
    return text


def _public(value: Any) -> Any:
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if not _is_personal(key, item)}
        return {key: _public(item) for key, item in kept.items()}
    if isinstance(value, list):
        return [_public(item) for item in value]
    if isinstance(value, str) and (path := _local_path(value)):
        return path.name
    return value


def _is_personal(key: object, value: object) -> bool:
    if key == "base_url" and isinstance(value, str):
        return _is_near(urlsplit(value).hostname or "")
    return key in _PERSONAL


def _is_near(host: str) -> bool:
    """Tell whether a host is this machine or one of a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "." not in host or host.endswith((".localhost", ".local", ".internal"))
    return address.is_private or address.is_loopback


def _local_path(text: str) -> PurePath | None:
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind(text)
        if path.is_absolute() or path.parts[:1] == ("~",):
            return path
    return None
