"""What services found, without the keys that they repeat in it."""

from operator import is_

from adc_core import Hit, Page
from adc_endpoint import redact


def without_secrets(page: Page) -> Page:
    """Return the page with every secret blotted out that a service repeats in what it found."""
    hits = tuple(map(_without_secrets, page.hits))
    return page if all(map(is_, hits, page.hits)) else page.replace(hits=hits)


def _without_secrets(hit: Hit) -> Hit:
    texts = ((name, getattr(hit, name)) for name in type(hit).model_fields)
    clean = {name: redact(text) for name, text in texts if isinstance(text, str)}
    changed = any(text != getattr(hit, name) for name, text in clean.items())
    return hit.replace(**clean) if changed else hit
