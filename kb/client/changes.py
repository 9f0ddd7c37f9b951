"""Calls that change the library.

Each change has an idempotency key, random by default. The service does the work once, however often it is sent. So
these calls are retried after a broken connection, long enough to outlast a restart of the service
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
"""Deadline of one change in seconds. The service answers once the change is on disk, after those before it."""
BULK_DEADLINE_S = 900.0
"""Deadline of an upload, an import or a rebuild in seconds."""

JSON, MARKDOWN, JSON_LINES = "application/json", "text/markdown", "application/jsonl"

_adapter: Callable[[], TypeAdapter[Article]] = cache(lambda: TypeAdapter(Article))


@dataclass(frozen=True, slots=True)
class Accepted:
    """A change that is on disk in the corpus. Searches find it once the task is done.

    `etag` is the entity tag of the article's new content, or None if the change is not about one article. `replayed`
    says that the service already had this work, under the same idempotency key.
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
    """Add or replace an article: an Article, a dict in the interchange form, or Markdown.

    `if_match`, an entity tag, replaces only that version. `only_new` only adds. Raises PreconditionFailed if the
    condition does not hold, and RequestRefused if the content cannot be read as an article.
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
    """Remove an article from the corpus for good.

    Its address then shows the reason `because`, or leads to the article with the id `see`. Raises ArticleNotFound, and
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
    """Upload files of articles, given as paths or as names with contents.

    They may be Markdown, plain text, `.article.json`, `.jsonl`, `.jsonl.gz`, or a `.zip` of these. The task's report
    names what could not be read. Raises OSError for a path that cannot be read.
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
    """Send articles that a program holds, compressed in memory. To send a collection in a file, use `upload`."""
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
    """Bring the index up to date with the corpus, as `kb build` does. Needs a key with the scope `admin`.

    `replace` does so even if a corpus is missing or empty, or more than half of the published articles would go.
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
