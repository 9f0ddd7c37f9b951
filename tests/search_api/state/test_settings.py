from __future__ import annotations

from pathlib import Path

import pytest

from kb.schema.errors import InvalidRequest
from search_api.state.settings import Settings, load_settings

FOLDER = Path(__file__).parents[3]


def test_the_file_to_begin_with_is_accepted() -> None:
    settings = load_settings(FOLDER / "deploy" / "kb.toml")
    assert settings.trusted_proxies == "127.0.0.1 ::1"
    assert settings.rate_limit == 20


def test_a_flag_wins_over_the_environment_that_over_the_file_that_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "kb.toml"
    file.write_text('port = 1\nworkers = 2\nsite_name = "A"\n')
    monkeypatch.setenv("KB_CONFIG", str(file))
    monkeypatch.setenv("kb_workers", "3")
    monkeypatch.setenv("KB_SITE_NAME", "B")
    settings = load_settings(site_name="C")
    assert (settings.port, settings.workers, settings.site_name) == (1, 3, "C")
    assert settings.deadline_s == Settings.model_fields["deadline_s"].default
    other = tmp_path / "other.toml"
    other.write_text("port = 4\n")
    assert load_settings(other).port == 4, "--config wins over KB_CONFIG"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ports = 1", "there is no setting 'ports'"),
        ("port = 70000", "port in .*kb.toml is 70000: "),
        ("rate_limit = 'often'", "rate_limit in .*kb.toml is 'often': "),
        ("port 1", "kb.toml is not TOML: .*line 1"),
        (None, "Cannot read the settings in .*kb.toml: No such file"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "kb.toml").write_text(content)
    with pytest.raises(InvalidRequest, match=said):
        load_settings(tmp_path / "kb.toml")


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
        ("workers", "0"),
        ("max_concurrent", "0"),
        ("max_waiting", "-1"),
        ("deadline_s", "0"),
        ("rate_limit", "-1"),
        ("rate_limit", "nan"),
        ("trusted_hosts", "https://kb.example.org"),
        ("trusted_hosts", "kb.example.org:443"),
        ("trusted_hosts", "*"),
        ("trusted_proxies", "nginx"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("metrics_clients", "127.0.0.1,10.0.0.1"),
        ("log_format", "xml"),
        ("otlp_endpoint", "localhost:4318"),
        ("query_log_days", "0"),
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


@pytest.mark.parametrize("name", ["query_log", "keys_file"])
def test_an_empty_path_is_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KB_{name.upper()}", "")
    assert getattr(load_settings(), name) is None
