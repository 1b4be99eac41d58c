from adc_plugins_search import user_agent


def test_user_agent() -> None:
    assert user_agent() == user_agent("")
    assert user_agent("me@example.org") == f"{user_agent()} (me@example.org)"
    assert user_agent().startswith("adc-search/0.")
