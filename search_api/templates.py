"""Given a template's name and what it shows, a page: the Jinja environment and its few filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kb.article import article_path
from kb.knowledge_base import MAX_QUESTION_CHARS
from kb.web_address import host_name, web_address
from search_api.assets import Asset
from search_api.cards import CITED_ANCHOR

TEMPLATES_DIR = Path(__file__).parent / "templates"


class Templates:
    """The pages of one application, headed by the name of its site.

    `root_path` is put before every link to the service itself.
    """

    def __init__(self, assets: Mapping[str, Asset], site_name: str, root_path: str = "") -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES_DIR),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            day=day,
            web_address=web_address,
            host_name=host_name,
            fragment=fragment,
            with_code=with_code,
        )
        self._environment.globals.update(
            site_name=site_name,
            root=root_path,
            asset_paths={name: root_path + asset.path for name, asset in assets.items()},
            article_path=article_path,
            search_path=search_path,
            cited_anchor=CITED_ANCHOR,
            max_question_chars=MAX_QUESTION_CHARS,
        )

    def render(self, name: str, **values: Any) -> str:
        """The page. A value that the template names and nobody gave is an error, not a blank."""
        return self._environment.get_template(name).render(values)


def day(iso_date: str) -> str:
    """`2026-01-31` as `31 January 2026`; anything else as it is."""
    try:
        found = date.fromisoformat(iso_date)
    except ValueError:
        return iso_date
    return f"{found.day} {found:%B} {found.year}"


def with_code(text: str) -> Markup:
    """`text` with what stands between backticks as code, escaped."""
    odd_ones = enumerate(text.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(t) if n % 2 else t for n, t in odd_ones)


def fragment(section_id: str) -> str:
    """The id of a section as it stands behind the # of an address."""
    return quote(section_id, safe="")


def search_path(question: str, offset: int = 0) -> str:
    """The page that answers a question, from a place on."""
    values: dict[str, str | int] = {"q": question}
    if offset:
        values["offset"] = offset
    return f"/?{urlencode(values)}"
