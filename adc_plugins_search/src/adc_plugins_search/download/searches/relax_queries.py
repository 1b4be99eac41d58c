"""Queries that find too little, asked again with fewer words."""

import re
from collections.abc import Iterable, Sequence

from adc_core import Query


def without_attribute(query: Query, attribute: str) -> Query | None:
    """Return a query that leaves an attribute open; None where its text does not hold the value.

    What it finds is not known to have the value: so it has not the attribute.
    """
    value = query.attributes.get(attribute)
    if not value:
        return None
    word = re.compile(rf"(?<!\w){re.escape(value)}(?!\w)", re.IGNORECASE)
    text = " ".join(word.sub(" ", query.text, count=1).split())
    if not text or text == query.text:
        return None
    left = {name: said for name, said in query.attributes.items() if name != attribute}
    return query.replace(text=text, attributes=left)


def relax_queries(queries: Sequence[Query], attribute: str, asked: Iterable[str]) -> list[Query]:
    """Return queries without an attribute, each text once.

    Several queries often become one: it keeps the attributes in which they agree.

    Args:
        queries: those that found too little.
        attribute: what is left open.
        asked: texts that need not be asked again.
    """
    known, found = set(asked), dict[str, Query]()
    for query in queries:
        new = without_attribute(query, attribute)
        if new is None or new.text in known:
            continue
        same = found.setdefault(new.text, new)
        agreed = dict(same.attributes.items() & new.attributes.items())
        if same.class_name == new.class_name and agreed != same.attributes:
            ordered = {name: value for name, value in same.attributes.items() if name in agreed}
            found[new.text] = same.replace(attributes=ordered)
    return list(found.values())
