"""Given the environment and a few overrides, the service's settings: one table, read once.

Every setting is an environment variable: its name in capitals after `KB_`. Flags of `kb serve` are
given as overrides, and win.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from kb.errors import InvalidRequest

PREFIX = "KB_"


class Settings(BaseSettings):
    """What an operator may choose. Immutable; made by `load_settings`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    index: Path = Field(default=Path("index"), description="Folder of the index to serve.")
    host: str = Field(default="127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port; 0 takes any free one.")
    base_url: str = Field(
        default="",
        description="Public address of the service, for the links in citations, such as"
        " https://example.org/kb. Empty: links begin with /articles/.",
    )
    site_name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        default="Health Knowledge Base", description="Name of the site, at the head of every page."
    )
    allowed_origins: str = Field(
        default="",
        description="Sites whose pages may ask the API from a reader's browser, such as"
        " https://example.org, separated by spaces; * for every site. Empty: none.",
    )
    search_access: Literal["open", "key"] = Field(
        default="open",
        description="Who may ask and read: everybody (open), or whoever sends a key of the scope search (key).",
    )
    keys_file: Path | None = Field(
        default=None, description="File of keys. Unset: keys/keys.json in the index."
    )
    upload_max_bytes: int = Field(
        default=64 * 1024 * 1024,
        ge=1024,
        le=4 * 1024**3,
        description="The most bytes of one article, upload or import as it is sent.",
    )
    upload_max_files: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="The most files of one upload, those in archives included.",
    )
    unpacked_max_bytes: int = Field(
        default=512 * 1024 * 1024,
        ge=1024,
        le=1024**4,
        description="The most bytes that one upload or import may unpack to.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least severe message that is logged; requests are info."
    )
    poll_interval_s: float = Field(
        default=1.0,
        ge=0.05,
        le=3600,
        description="Seconds between two looks at whether a new index was published.",
    )
    shutdown_grace_s: int = Field(
        default=10,
        ge=0,
        le=3600,
        description="Seconds that requests under way may take to end when the service stops.",
    )

    @field_validator("base_url")
    @classmethod
    def _absolute_without_trailing_slash(cls, value: str) -> str:
        if not value:
            return ""
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("must be an http or https address, such as https://example.org/kb")
        if parts.query or parts.fragment:
            raise ValueError("must not have a query or a fragment")
        return value.rstrip("/")

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

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def origins(self) -> tuple[str, ...]:
        """`allowed_origins`, one by one."""
        return tuple(self.allowed_origins.split())

    @property
    def root_path(self) -> str:
        """The path of `base_url`, no slash at its end: what the pages put before their links."""
        return urlsplit(self.base_url).path


def load_settings(**overrides: Any) -> Settings:
    """The settings from the environment; an override that is not None wins.

    Raises `InvalidRequest`, whose message names the variable, the value and what is accepted.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        message = first["msg"].removeprefix("Value error, ")
        raise InvalidRequest(
            name, f"{PREFIX}{name.upper()} is {first['input']!r}: {message}"
        ) from None
