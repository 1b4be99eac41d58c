from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from adc_endpoint import retry_after_seconds


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 400, 366 * 86_400.0),
        ("soon", None),
        ("-5", None),
        ("Mon, 01 Jan 2030 00:00:00 +99999999999999999999", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header) == seconds


def test_retry_after_a_date() -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    seconds = retry_after_seconds(format_datetime(later, usegmt=True))
    assert seconds is not None
    assert 3500 < seconds <= 3600
