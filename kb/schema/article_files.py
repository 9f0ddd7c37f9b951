"""The file forms in which one article can be sent, each with its media type and suffixes."""

from __future__ import annotations

from typing import NamedTuple


class ArticleFile(NamedTuple):
    """A form of file with one article. `suffixes` are in lower case, the usual one first."""

    media_type: str
    suffixes: tuple[str, ...]


ARTICLE_JSON = ArticleFile("application/json", (".article.json",))
MARKDOWN = ArticleFile("text/markdown", (".md", ".markdown"))
PLAIN_TEXT = ArticleFile("text/plain", (".txt",))

SENDABLE_FORMS = (ARTICLE_JSON, MARKDOWN, PLAIN_TEXT)
"""The forms that `PUT /api/v1/articles/{id}` accepts, in the order in which errors list them."""
