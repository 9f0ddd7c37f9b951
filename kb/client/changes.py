"""Calls that change the library, and what is known once a change is accepted.

Each change bears an idempotency key, a random one by default: the service does the work once, however often it is
sent. So these calls are retried when a connection breaks, long enough to outlast a restart of the service
(`RetryPolicy.outage_s`).
"""

from __future__ import annotations

import gzip
import json
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from kb.client.calls import Call, Sent, article_path
from kb.schema.article import Article
from kb.schema.service import TaskView

CHANGE_DEADLINE_S = 120.0
"""The service answers when the corpus has the change on disk, for which others may have to be made first."""
BULK_DEADLINE_S = 900.0

JSON, MARKDOWN, JSON_LINES = "application/json", "text/markdown", "application/jsonl"

_adapter: Callable[[], TypeAdapter[Article]] = cache(lambda: TypeAdapter(Article))


@dataclass(frozen=True, slots=True)
class Accepted:
    """A change that the corpus has on disk; questions find it once the task is done.

    `etag` names what the article holds now, None where the change is of no one article. `replayed`: the service had
    the work already, under the same idempotency key.
    """

    task: TaskView
    etag: str | None
    replayed: bool


def put_article(
    article_id: str,
    article: Article | Mapping[str, Any] | str,
    *,
    if_match: str | None = None,
    only_new: bool = False,
    idempotency_key: str | None = None,
    deadline_s: float = CHANGE_DEADLINE_S,
) -> Call[Accepted]:
    """Add an article, or put it in the place of another: as an Article, a dict in the interchange form, or Markdown.

    With `if_match`, an entity tag, only in the place of just that article; with `only_new`, only where there is none of
    that id: else PreconditionFailed. RequestRefused where it cannot be read as an article.
    """
    kind = MARKDOWN if isinstance(article, str) else JSON
    content = article.encode() if isinstance(article, str) else _as_json(article)
    headers = {"Content-Type": kind} | ({"If-None-Match": "*"} if only_new else {})
    return _change(
        *("PUT", article_path(article_id), idempotency_key, deadline_s),
        content=content,
        headers=headers | _matching(if_match),
    )


def delete_article(
    article_id: str,
    *,
    because: str = "",
    see: str = "",
    if_match: str | None = None,
    idempotency_key: str | None = None,
    deadline_s: float = CHANGE_DEADLINE_S,
) -> Call[Accepted]:
    """Take an article out of the corpus, for good.

    Its address says `because` why, or leads to the article of the id `see`. Raises ArticleNotFound, and
    PreconditionFailed as `put_article` does.
    """
    return _change(
        *("DELETE", article_path(article_id), idempotency_key, deadline_s),
        headers=_matching(if_match),
        query={name: text for name, text in (("because", because), ("see", see)) if text},
    )


def upload(
    files: Iterable[Path | str | tuple[str, bytes]],
    *,
    idempotency_key: str | None = None,
    deadline_s: float = BULK_DEADLINE_S,
) -> Call[Accepted]:
    """Send files of articles, as paths or as names with contents: Markdown, plain text, `.article.json`, `.jsonl`,
    `.jsonl.gz`, `.zip` of such. What cannot be read is named in the task's report. Raises OSError for a path.
    """
    sent = tuple(
        Sent(*file) if isinstance(file, tuple) else Sent(Path(file).name, Path(file))
        for file in files
    )
    return _change("POST", "/api/v1/upload", idempotency_key, deadline_s, files=sent)


def import_articles(
    articles: Iterable[Article | Mapping[str, Any]],
    *,
    idempotency_key: str | None = None,
    deadline_s: float = BULK_DEADLINE_S,
) -> Call[Accepted]:
    """Send articles of a program, together, compressed in memory. A collection that is a file is sent by `upload`."""
    content = gzip.compress(b"\n".join(map(_as_json, articles)), mtime=0)
    headers = {"Content-Type": JSON_LINES, "Content-Encoding": "gzip"}
    return _change(
        *("POST", "/api/v1/import", idempotency_key, deadline_s), content=content, headers=headers
    )


def rebuild(
    *,
    replace: bool = False,
    idempotency_key: str | None = None,
    deadline_s: float = CHANGE_DEADLINE_S,
) -> Call[Accepted]:
    """Make the index hold what the corpus holds, as `kb build` does. Needs a key of the scope `admin`.

    With `replace`, even where a corpus is missing or empty, or more than half of the published articles would go.
    """
    query = {"replace": "true"} if replace else {}
    return _change("POST", "/api/v1/rebuild", idempotency_key, deadline_s, query=query)


def _change(
    method: Literal["POST", "PUT", "DELETE"],
    path: str,
    idempotency_key: str | None,
    deadline_s: float,
    *,
    query: Mapping[str, str] | None = None,
    content: bytes | None = None,
    files: tuple[Sent, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Call[Accepted]:
    key = idempotency_key or secrets.token_hex(16)
    return Call(
        *(method, path, TaskView),
        query=query or {},
        content=content,
        files=files,
        headers={**(headers or {}), "Idempotency-Key": key},
        is_change=True,
        deadline_s=deadline_s,
        finish=_accepted,
    )


def _accepted(task: TaskView, headers: Mapping[str, str]) -> Accepted:
    replayed = headers.get("idempotency-replayed") == "true"
    return Accepted(task, headers.get("etag"), replayed)


def _matching(etag: str | None) -> dict[str, str]:
    return {} if etag is None else {"If-Match": etag}


def _as_json(article: Article | Mapping[str, Any]) -> bytes:
    if isinstance(article, Article):
        return _adapter().dump_json(article)
    return json.dumps(article).encode()
