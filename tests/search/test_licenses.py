import pytest

from adc_plugins_search.licenses import creative_commons, of_url


@pytest.mark.parametrize(
    ("kind", "version", "name"),
    [
        ("by-sa", "2.0", "CC-BY-SA-2.0"),
        ("BY", None, "CC-BY"),
        ("cc0", "1.0", "CC0-1.0"),
        ("cc-by-nc", "4.0", "CC-BY-NC-4.0"),
        ("pdm", None, "PDM"),
    ],
)
def test_names_are_those_of_spdx(kind, version, name):
    assert creative_commons(kind, version) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://creativecommons.org/licenses/by-sa/4.0", "CC-BY-SA-4.0"),
        ("http://creativecommons.org/licenses/by/2.5/deed.de", "CC-BY-2.5"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0-1.0"),
        ("https://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0"),
        ("https://example.org/license", None),
        (None, None),
    ],
)
def test_a_deed_tells_its_license(url, name):
    assert of_url(url) == name
