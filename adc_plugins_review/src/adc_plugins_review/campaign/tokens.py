"""The links of a review: 128-bit tokens that are made of a key and kept nowhere.

The key lies in a file of its own that only its owner may read. The database has a hash of each
token, so that who gets the database gets no link, and the links can be shown again at any time.
"""

import base64
import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from adc_core import WorkError
from adc_core.storage import translate_os_errors

KEY = "links.key"


def read_key(review: Path) -> bytes:
    """Read the key of a review, or make one.

    Raises:
        WorkError: it cannot be read or written, or is damaged.
    """
    path = review / KEY
    with translate_os_errors(path):
        if not path.exists():
            part = review / f".{KEY}.{secrets.token_hex(8)}"
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
                new.write(secrets.token_bytes(32))
            part.rename(path)
        key = path.read_bytes()
    if len(key) != 32:
        raise WorkError(f"{path} is damaged: remove it, and all links become new ones")
    return key


def make_token(key: bytes, purpose: str, number: int = 0, generation: int = 0) -> str:
    """Make the token of a link: 128 bits as 22 letters that a URL may hold.

    Args:
        key: of the review.
        purpose: `owner`, `rater`, `campaign`, `receipt`.
        number: of the rater or batch.
        generation: one more makes another token, and the former one void.
    """
    message = f"{purpose} {number} {generation}".encode()
    digest = hmac.new(key, message, sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def hash_token(token: str) -> bytes:
    """Hash a token as the database has it."""
    return sha256(token.encode()).digest()


def hash_external(key: bytes, external: str) -> bytes:
    """Hash the id that a platform gives a worker, so that it is known again and not kept."""
    return hmac.new(key, b"external " + external.encode(), sha256).digest()
