"""The kinds of component, in the order in which a pipeline uses them.

One word names a kind everywhere: `detectors` is the folder, the entry-point group
`adc.detectors`, the key in a pipeline file, the field of `Pipeline` and `adc list detectors`.
"""

KINDS = (
    "designers",
    "searchers",
    "collectors",
    "encoders",
    "simulators",
    "enrichers",
    "detectors",
    "curators",
    "learners",
    "metrics",
)
"""The interfaces of `adc_core.components.interfaces`, in the plural."""

BROUGHT = "kinds"
"""Kinds that packages bring, each with its interface: parts of their own components, say."""

COMMANDS = "commands"
"""Sub-commands of `adc` that packages bring; found like components, so that help imports none."""


def group_of(kind: str) -> str:
    """Return the entry-point group of a kind."""
    return f"adc.{kind}"
