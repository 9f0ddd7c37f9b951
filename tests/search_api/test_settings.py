from __future__ import annotations

from pathlib import Path

import pytest

from kb.errors import InvalidRequest
from search_api.settings import PREFIX, Settings, load_settings

README = Path(__file__).parents[2] / "README.md"


def test_every_setting_stands_in_the_readme() -> None:
    text = README.read_text(encoding="utf-8")
    missing = [PREFIX + name.upper() for name in Settings.model_fields]
    assert [name for name in missing if name not in text] == []


def test_every_setting_has_a_line_of_help() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_an_override_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KB_PORT", "9001")
    assert load_settings().port == 9001
    assert load_settings(port=9002, host=None).port == 9002


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "70000"),
        ("port", "http"),
        ("log_level", "loud"),
        ("base_url", "example.org"),
        ("base_url", "https://example.org/?q=1"),
        ("site_name", " "),
        ("allowed_origins", "example.org"),
        ("allowed_origins", "https://example.org/"),
        ("allowed_origins", "https://user@example.org"),
        ("allowed_origins", "https://a.example null"),
        ("poll_interval_s", "0"),
        ("shutdown_grace_s", "-1"),
    ],
)
def test_a_bad_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"KB_{name.upper()}", value)
    with pytest.raises(InvalidRequest) as caught:
        load_settings()
    assert caught.value.field == name
    assert str(caught.value).startswith(f"KB_{name.upper()} is {value!r}: ")


def test_the_path_of_the_base_url_comes_before_links() -> None:
    settings = load_settings(base_url="https://example.org/kb/")
    assert (settings.base_url, settings.root_path) == ("https://example.org/kb", "/kb")
    assert load_settings(base_url="https://example.org").root_path == ""


def test_sites_are_named_one_by_one_in_any_case() -> None:
    settings = load_settings(allowed_origins=" https://A.example  http://localhost:8080 ")
    assert settings.origins == ("https://a.example", "http://localhost:8080")
    assert load_settings().origins == ()
    assert load_settings(allowed_origins="*").origins == ("*",)
