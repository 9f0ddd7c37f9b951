"""A Markdown file to fill in, made from a title."""

from __future__ import annotations

import unicodedata
from datetime import date
from pathlib import Path

import yaml

from indexer.readers.slug import slug
from indexer.readers.text import normalise
from kb.schema.errors import KbError

_NAME_MAX_BYTES = 200
"""File systems allow 255; letters beyond ASCII take up to four each."""

PLACEHOLDER_TEXT = "Write here, in two or three sentences, what a hurried reader needs to know."
"""The only text of a new article, which needs some to be one; `indexer.maintenance.lint` finds it."""

_SKELETON = """\
---
{front_matter}aliases: []  # other names, and the words readers use: [first, second]
sources: []
#  - title: "Where the facts are from (publisher)"
#    url: https://
updated: {today}
language: en
tags: []
related: []  # ids of other articles
---
{placeholder}

## What It Is

## Common Causes

## What You Can Do

## When to See a Doctor
"""


def new_article(folder: Path, title: str) -> Path:
    """Write `<slug of title>.md` in `folder` and return its path; it reads back as an article.

    Raises KbError for a title without a letter or digit, a folder that is not there, a file that
    already is (it stays as it was), and whatever else keeps the file from being written.
    """
    title = " ".join(normalise(title).split())
    if not any(char.isalnum() for char in title):
        raise KbError(f'"{title}" cannot be a title: it has neither a letter nor a digit')
    if not folder.is_dir():
        raise KbError(f"{folder} is no folder: make it first, or name another")
    name = _short(slug(title))
    path = folder / f"{name}.md"
    front_matter = yaml.safe_dump(
        {"id": name, "title": title}, allow_unicode=True, sort_keys=False, width=float("inf")
    )
    body = _SKELETON.format(
        front_matter=front_matter, today=date.today().isoformat(), placeholder=PLACEHOLDER_TEXT
    )
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(body)
    except FileExistsError:
        raise KbError(f"{path} exists already: edit it, or choose another title") from None
    except OSError as error:
        raise KbError(f"{path} cannot be written: {error.strerror or error}") from None
    return path


def _short(name: str) -> str:
    encoded = name.encode()[:_NAME_MAX_BYTES].decode(errors="ignore")
    return unicodedata.normalize("NFC", encoded).rstrip("-")
