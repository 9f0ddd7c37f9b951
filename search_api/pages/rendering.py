"""Rendering of pages: the Jinja environment and its filters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from kb.knowledge_base import MAX_QUESTION_CHARS
from kb.schema.article import article_path
from kb.schema.citation_formats import day_in_words, iso_day
from kb.schema.web_address import host_name, web_address
from search_api.pages.assets import Asset
from search_api.pages.cards import CITED_ANCHOR
from search_api.pages.library_page import anchor, label, library_path
from search_api.pages.search_state import SearchState

TEMPLATES_DIR = Path(__file__).parents[1] / "templates"


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
            cite_path=cite_path,
            search_path=search_path,
            library_path=library_path,
            group_anchor=anchor,
            group_label=label,
            cited_anchor=CITED_ANCHOR,
            max_question_chars=MAX_QUESTION_CHARS,
        )

    def render(self, name: str, **values: Any) -> str:
        """The page. A value that the template names and nobody gave is an error, not a blank."""
        return self._environment.get_template(name).render(values)


def day(iso_date: str) -> str:
    """`2026-01-31` as `31 January 2026`; anything else as it is."""
    found = iso_day(iso_date)
    return day_in_words(found) if found else iso_date


def with_code(text: str) -> Markup:
    """`text` with what stands between backticks as code, escaped."""
    odd_ones = enumerate(text.split("`"))
    return Markup().join(Markup("<code>{}</code>").format(t) if n % 2 else t for n, t in odd_ones)


def fragment(section_id: str) -> str:
    """The id of a section as it stands behind the # of an address."""
    return quote(section_id, safe="")


def search_path(question: str) -> str:
    """The page that answers a question."""
    return SearchState(question).path()


def cite_path(article_id: str, section_id: str = "") -> str:
    """The page that cites a section of an article, or all of it."""
    values = {"article": article_id, **({"section": section_id} if section_id else {})}
    return f"/cite?{urlencode(values)}"
