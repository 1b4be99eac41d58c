"""A few values that differ, out of many in groups."""

from collections.abc import Collection, Mapping
from functools import cache

from PIL import ImageColor

from adc_plugins_search.terms.colors import farthest
from adc_plugins_search.terms.normalize import canonical_key, kind_of
from adc_plugins_search.terms.proposals import Groups
from adc_plugins_search.terms.vocabulary import in_turn, read_words


def select_diverse(
    groups: Groups, attribute: str, count: int, chosen: Collection[str] = ()
) -> tuple[str, ...]:
    """Return values that differ from one another and from those chosen already.

    Colours differ by their distance in CIELAB as far as their sRGB value is known (to the
    vocabulary, or as a colour of CSS); everything else comes from all groups in turn, first from
    those of which least is chosen.

    Args:
        groups: the values, by group.
        attribute: what they describe; colours are known by its name.
        count: how many, beside those chosen; fewer where there are no more.
        chosen: values that are there already; those of no group count nothing.
    """
    rest = {name: [word for word in words if word not in chosen] for name, words in groups.items()}
    picked: tuple[str, ...] = ()
    if kind_of(attribute) == "color":
        known = {
            name: {word: value for word in words if (value := _srgb().get(canonical_key(word)))}
            for name, words in groups.items()
        }
        before = [word for colors in known.values() for word in colors if word in chosen]
        if any(known.values()):
            wanted = len(before) + count
            found = farthest(known, wanted, before)
            picked = tuple(word for word in found if word not in chosen)
    used = {
        name: sum(word in chosen or word in picked for word in words)
        for name, words in groups.items()
    }
    fair = {
        name: [word for word in words if word not in picked]
        for name, words in sorted(rest.items(), key=lambda item: used[item[0]])
    }
    if any(fair.values()):
        picked += in_turn(fair, count - len(picked))
    return picked


@cache
def _srgb() -> Mapping[str, str]:
    """Return folded colour name to sRGB value."""
    # Pillow keeps what it has parsed in the same table, as numbers.
    colors = {
        canonical_key(name): "#{:02x}{:02x}{:02x}".format(*ImageColor.getrgb(name))
        for name in ImageColor.colormap
    }
    for group in read_words()["color"].values():
        colors |= {canonical_key(name): value for name, value in group.items()}
    return colors
