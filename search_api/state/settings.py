"""The settings of the service: one table, read once.

Each setting is an environment variable, its name in capitals after `KB_`; a key of the TOML file that `KB_CONFIG` or
`--config` names; and a flag of `kb serve`. A flag wins over the environment, the environment over the file, and the
file over the default. docs/reference/settings.md is made from the fields below.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kb.schema.errors import InvalidRequest
from kb.schema.web_address import public_address
from search_api.state.setting_errors import accepted

VARIABLE_PREFIX = "KB_"
CONFIG_VARIABLE = "KB_CONFIG"

_HOST_PATTERN = re.compile(r"(\*\.)?[a-z0-9]([a-z0-9._-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


class Settings(BaseSettings):
    """The settings of a service. Immutable; made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=VARIABLE_PREFIX, frozen=True, extra="ignore")

    index: Path = Field(default=Path("index"), description="Folder of the index to serve.")
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port; 0 takes any free one.")
    base_url: str = Field(
        default="",
        description="Public address of the service, for the links in citations, such as"
        " https://example.org/kb. If empty, links begin with /articles/.",
    )
    reranker: str = Field(
        default="",
        description="A sentence-transformers CrossEncoder, by name or path, that reorders the first 30 results."
        " Needs the extra `indexing`. Empty: none.",
    )
    site_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        default="Health Knowledge Base", description="Name of the site, at the top of every page."
    )
    allowed_origins: str = Field(
        default="",
        description="Sites whose pages may call the API from a reader's browser, such as"
        " https://example.org, separated by spaces; * for every site. Empty: none.",
    )
    search_access: Literal["open", "key"] = Field(
        default="open",
        description="Who may search and read: everybody (open), or only clients with a key of the scope search (key).",
    )
    keys_file: Path | None = Field(
        default=None, description="File of keys. Empty: keys/keys.json in the index."
    )
    upload_max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        le=4 * 1024**3,
        description="Maximum size in bytes of one article, upload or import, as sent.",
    )
    upload_max_files: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="Maximum number of files in one upload, including those in archives.",
    )
    unpacked_max_bytes: int = Field(
        default=512 * 1024 * 1024,
        ge=1024,
        le=1024**4,
        description="Maximum size in bytes that one upload or import may unpack to.",
    )
    max_tasks: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="Maximum number of unfinished tasks. A further one gets 503 with `Retry-After`.",
    )
    workers: int = Field(
        default=1,
        ge=1,
        le=256,
        description="Number of processes that answer. They share one memory-mapped index. Each has its own encoder.",
    )
    max_concurrent: int = Field(
        default=4,
        ge=1,
        le=32,
        description="Maximum number of requests that one worker processes at once. Others wait in its queue.",
    )
    max_waiting: int = Field(
        default=128,
        ge=0,
        le=100_000,
        description="Maximum number of requests in a worker's queue. A further one gets 503 with `Retry-After`.",
    )
    deadline_s: float = Field(
        default=10.0,
        ge=0.01,
        le=3600,
        description="Seconds after which a request without an answer gets 503, including its time in the queue.",
    )
    client_timeout_s: float = Field(
        default=10.0,
        ge=0.1,
        le=3600,
        description="Seconds that a client may take to send the head of a request, and again for a question's body.",
    )
    rate_limit: float = Field(
        default=0.0,
        ge=0,
        le=1_000_000,
        description="Sustained requests per second of one client, in each worker. Above it, 429 with `Retry-After`."
        " 0: no limit. A reader who types makes up to 20.",
    )
    rate_burst: int = Field(
        default=60,
        ge=1,
        le=1_000_000,
        description="Requests that one client may make at once before `rate_limit` applies.",
    )
    trusted_hosts: str = Field(
        default="",
        description="Accepted values of `Host`, such as `kb.example.org *.example.net`, separated by spaces."
        " Any other `Host` gets 421. Empty: every well-formed one.",
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses or networks of the proxies before the service, such as `127.0.0.1 10.0.0.0/8`, separated"
        " by spaces. `X-Forwarded-For` and `X-Forwarded-Proto` are only believed from these.",
    )
    metrics_clients: str = Field(
        default="127.0.0.0/8 ::1",
        description="Addresses or networks that may read `/metrics`, separated by spaces. All others get 404.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="Minimum level of logged messages. Requests have the level info.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="`text`, or `json`: one object per line, with the request's id."
    )
    otlp_endpoint: str = Field(
        default="",
        description="Collector for traces by OTLP over HTTP, such as http://localhost:4318. Empty: no traces."
        " Needs the extra `telemetry`.",
    )
    query_log: Path | None = Field(
        default=None,
        description="A private folder (mode 0700, made if missing) to log questions in, for tuning."
        " Empty: no questions are logged. Read docs/privacy.md first.",
    )
    query_log_days: int = Field(
        default=30,
        ge=1,
        le=3650,
        description="Maximum number of days that logged questions are kept.",
    )
    poll_interval_s: float = Field(
        default=1.0,
        ge=0.05,
        le=3600,
        description="Seconds between two checks for a newly published index.",
    )
    shutdown_grace_s: int = Field(
        default=10,
        ge=0,
        le=3600,
        description="Seconds that running requests may take to end when the service stops.",
    )

    @field_validator("base_url")
    @classmethod
    def _absolute_without_trailing_slash(cls, value: str) -> str:
        return public_address(value)

    @field_validator("allowed_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in value.split():
            parts = urlsplit(origin)
            is_origin = (
                parts.scheme in ("http", "https") and parts.netloc and "@" not in parts.netloc
            )
            if origin != "*" and (not is_origin or origin != f"{parts.scheme}://{parts.netloc}"):
                raise ValueError(
                    f"{origin!r} must be an origin, such as https://example.org, without a path"
                )
        return value.lower()

    @field_validator("trusted_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        for host in value.lower().split():
            if not _HOST_PATTERN.fullmatch(host):
                raise ValueError(
                    f"{host!r} must be a host, such as kb.example.org or *.example.org, without a port"
                )
        return value.lower()

    @field_validator("trusted_proxies", "metrics_clients")
    @classmethod
    def _networks(cls, value: str) -> str:
        for network in value.split():
            try:
                ipaddress.ip_network(network)
            except ValueError:
                raise ValueError(
                    f"{network!r} must be an address or a network, such as 10.0.0.0/8"
                ) from None
        return value

    @field_validator("otlp_endpoint")
    @classmethod
    def _http_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise ValueError("must be an http or https address, such as http://localhost:4318")
        return value.rstrip("/")

    @field_validator("query_log", "keys_file", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def origins(self) -> tuple[str, ...]:
        """The sites of `allowed_origins`."""
        return tuple(self.allowed_origins.split())

    @property
    def root_path(self) -> str:
        """The path of `base_url` without a slash at its end: the prefix of every link on a page."""
        return urlsplit(self.base_url).path


def load_settings(config: Path | None = None, **overrides: Any) -> Settings:
    """The settings of the file `config`, or the one that KB_CONFIG names, the environment and `overrides`.

    Each wins over those before it; an override that is None is none. Raises `InvalidRequest`, whose message names the
    flag, the variable or the key of the file, the value and what is accepted.
    """
    named = os.environ.get(CONFIG_VARIABLE)
    file = config or (Path(named) if named else None)
    in_environment = {name.upper() for name in os.environ}
    from_file = {
        name: value
        for name, value in (_read(file) if file else {}).items()
        if VARIABLE_PREFIX + name.upper() not in in_environment and overrides.get(name) is None
    }
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**from_file, **given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where = f"{VARIABLE_PREFIX}{name.upper()}"
        if name in given:
            where = f"--{name.replace('_', '-')}"
        elif name in from_file:
            where = f"{name} in {file}"
        words = accepted(first, Settings.model_fields[name])
        raise InvalidRequest(name, f"{where} is {first['input']!r}: {words}.") from None


def _read(file: Path) -> dict[str, Any]:
    """The keys of a settings file. Raises `InvalidRequest`, naming the file and what is wrong with it."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InvalidRequest("config", f"Cannot read the settings in {file}: {reason}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidRequest("config", f"{file} is not TOML: {error}") from None
    unknown = [name for name in values if name not in Settings.model_fields]
    if unknown:
        raise InvalidRequest(
            "config",
            f"{file}: there is no setting {unknown[0]!r}. docs/reference/settings.md lists them.",
        )
    return values
