"""How this program names itself to services."""


def user_agent(contact: str = "") -> str:
    """Return `adc-search/VERSION`, with an address at which the operator can be reached."""
    from importlib_metadata import version  # slow to import, and workers are sent the result

    return f"adc-search/{version('adc-plugins-search')}" + (f" ({contact})" if contact else "")
