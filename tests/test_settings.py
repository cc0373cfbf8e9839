"""Settings as people give them in the environment."""

import pytest
from lineset.kit.errors import Invalid
from lineset.kit.settings import from_environment


def test_without_any_setting_everything_stays_on_this_machine() -> None:
    settings = from_environment({})
    assert settings.loopback
    assert settings.url == "http://localhost:8000"
    assert (settings.web_host, settings.mqtt_port, settings.mqtt_token_port, settings.hosts) == ("127.0.0.1", 8883, 8884, ())


@pytest.mark.parametrize(
    "env",
    [
        {"LINESET_HOST": "0.0.0.0"},
        {"LINESET_HOST": "192.0.2.7", "LINESET_PUBLIC_URL": "http://localhost:8000"},
        {"LINESET_PUBLIC_URL": "http://lineset.example.org"},
        {"LINESET_PUBLIC_URL": "lineset.example.org"},
    ],
)
def test_SEC_02_pages_do_not_leave_this_machine_unencrypted(env: dict[str, str]) -> None:
    with pytest.raises(Invalid, match="encrypted"):
        from_environment(env)


@pytest.mark.parametrize(
    "env",
    [
        {"LINESET_PUBLIC_URL": "https://lineset.example.org"},
        {"LINESET_HOST": "0.0.0.0", "LINESET_PUBLIC_URL": "https://lineset.example.org"},
        {"LINESET_HOST": "localhost", "LINESET_PUBLIC_URL": "http://127.0.0.1:8000"},
    ],
)
def test_SEC_02_behind_a_proxy_with_tls_pages_may_be_reached(env: dict[str, str]) -> None:
    assert from_environment(env).url == env["LINESET_PUBLIC_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("LINESET_PORT", "http"), ("LINESET_MQTT_PORT", "0"), ("LINESET_MQTT_TOKEN_PORT", "70000"), ("LINESET_WEB_WORKERS", "two")],
)
def test_a_setting_that_can_not_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid, match=name):
        from_environment({name: value})
