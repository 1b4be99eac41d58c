"""Addresses as other people write them, read so that nothing later can fail over them."""

from yarl import URL


def parse_url(text: str, base: URL | None = None) -> URL:
    """Return the address that a text names, in one spelling for all the ways to write it.

    The host is in lower case, and there is no default port and no fragment.

    Args:
        text: as a search engine or a server gave it.
        base: the address to which it may be relative.

    Raises:
        ValueError: it names none.
    """
    try:
        address = URL(text) if base is None else base.join(URL(text))
        address = URL(str(address.with_fragment(None)))
        _ = address.host, address.port  # yarl looks at these only when they are asked for
    except IndexError:  # yarl's, of brackets without an address in them
        raise ValueError(f"Invalid URL: {text!r}") from None
    return address
