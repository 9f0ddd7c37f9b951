"""The files that one article can be sent as: the media type and the names of each form."""

from __future__ import annotations

from typing import NamedTuple


class ArticleFile(NamedTuple):
    """A form of file that holds one article. `suffixes` are in lower case, the usual one first."""

    media_type: str
    suffixes: tuple[str, ...]


ARTICLE_JSON = ArticleFile("application/json", (".article.json",))
MARKDOWN = ArticleFile("text/markdown", (".md", ".markdown"))
PLAIN_TEXT = ArticleFile("text/plain", (".txt",))

SENDABLE = (ARTICLE_JSON, MARKDOWN, PLAIN_TEXT)
"""What the body of `PUT /api/v1/articles/{id}` may be, in the order in which errors list it."""
