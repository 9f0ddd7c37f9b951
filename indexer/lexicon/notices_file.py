"""A reader of `notices.yaml`, with compiled triggers.

The file is a list of notices, each with keys of `NOTICE_KEYS`. A conditional one has no triggers, and a file has one at
most. A broken notice breaks the file: half of a list of emergency notices would pass for the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from indexer.readers import metadata
from indexer.readers.metadata import FieldError, kind_of, shown
from indexer.readers.yaml_text import ParsedYaml, parse_list
from kb.question.notices import NoticeRule, Trigger
from kb.schema.errors import ArticleError
from kb.schema.results import Link, Notice, NoticeKind
from kb.text.analysis import stems

NOTICE_KEYS = ("id", "kind", "title", "text", "links", "triggers", "unless")
MAX_SLOTS = 8
"""More slots than this in one trigger are a sentence, which nobody will type."""

_ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class PlacedRule:
    """A notice and the line of the file on which it begins."""

    line: int
    rule: NoticeRule


def read_notices(name: Path | str, data: bytes) -> list[PlacedRule]:
    """The notices of a file's bytes, in order; `name` stands in errors.

    Raises ArticleError with the line for anything that is not as the module's docstring says.
    """
    parsed = parse_list(name, data, "write a list of notices, each begun by `- id:`")
    found: list[PlacedRule] = []
    seen: dict[str, int] = {}
    for node, value in parsed.items():
        line = parsed.line_of(node)
        try:
            notice = _notice(value)
            if notice.id in seen:
                raise FieldError(
                    f'the id "{notice.id}" is already that of line {seen[notice.id]}: give one another id'
                )
        except FieldError as error:
            raise ArticleError(name, str(error), line) from None
        seen[notice.id] = line
        nodes = {key.value: child for key, child in node.value}
        triggers = tuple(_triggers(name, parsed, nodes, value, "triggers"))
        if notice.kind == "conditional":
            if "triggers" in value or "unless" in value:
                reason = (
                    f'the notice "{notice.id}" is conditional: delete its triggers and its unless'
                )
                raise ArticleError(name, reason, line)
            if any(entry.rule.notice.kind == "conditional" for entry in found):
                reason = f'the notice "{notice.id}" is a second conditional one: keep one of them'
                raise ArticleError(name, reason, line)
        elif not triggers:
            reason = f'the notice "{notice.id}" has no triggers: write at least one, such as "chest pain|ache"'
            raise ArticleError(name, reason, line)
        unless = tuple(_triggers(name, parsed, nodes, value, "unless"))
        found.append(PlacedRule(line, NoticeRule(notice, triggers, unless)))
    return found


def _notice(value: object) -> Notice:
    if not isinstance(value, dict):
        raise FieldError(
            f"a notice is {kind_of(value)}: write {', '.join(NOTICE_KEYS)} with their values"
        )
    metadata.refuse_unknown("a notice", value, NOTICE_KEYS)
    stated = {}
    for key in ("id", "title", "text"):
        stated[key] = metadata.line(key, value.get(key))
        if not stated[key]:
            raise FieldError(f"a notice has no {key}: add one")
    if not _ID.fullmatch(stated["id"]):
        raise FieldError(
            f"the id {shown(stated['id'])} is not small letters and digits joined by hyphens: change it"
        )
    kind = value.get("kind", "emergency")
    if kind not in get_args(NoticeKind):
        raise FieldError(
            f"kind is {shown(kind)}: write emergency or conditional, or leave it out for an emergency"
        )
    return Notice(**stated, links=_links(value.get("links")), kind=kind)


def _links(value: object) -> tuple[Link, ...]:
    if not isinstance(value, list | None):
        raise FieldError(f"links must be a list, not {kind_of(value)}: write one - item a line")
    return tuple(_link(f"links, item {number}", item) for number, item in enumerate(value or (), 1))


def _link(key: str, item: object) -> Link:
    if not isinstance(item, dict):
        raise FieldError(f"{key} is {kind_of(item)}: write {{title: ..., url: ...}}")
    metadata.refuse_unknown(key, item, ("title", "url"))
    title = metadata.line(f"{key}, title", item.get("title"))
    url = metadata.url(f"{key}, url", item.get("url"))
    if not (title and url):
        raise FieldError(f"{key} has no {'title' if url else 'url'}: add one")
    return Link(title, url)


def _triggers(
    name: Path | str, parsed: ParsedYaml, nodes: dict[str, Any], value: dict[str, object], key: str
) -> Iterator[Trigger]:
    entries = value.get(key)
    if entries is None:
        return
    if not isinstance(entries, list):
        reason = f"{key} must be a list, not {kind_of(entries)}: write one - item a line"
        raise ArticleError(name, reason, parsed.line_of(nodes[key]))
    for node, entry in zip(nodes[key].value, entries, strict=True):
        try:
            yield _trigger(key, entry)
        except FieldError as error:
            raise ArticleError(name, str(error), parsed.line_of(node)) from None


def _trigger(key: str, entry: object) -> Trigger:
    slots = metadata.line(f"an entry of {key}", entry).split()
    if not 1 <= len(slots) <= MAX_SLOTS:
        raise FieldError(
            f"an entry of {key} has {len(slots)} slots: write 1 to {MAX_SLOTS} of them"
        )
    return tuple(frozenset(_stem(slot, word) for word in slot.split("|")) for slot in slots)


def _stem(slot: str, word: str) -> str:
    found = stems(word)
    if len(found) == 1:
        return found[0]
    if not found:
        raise FieldError(
            f"the slot {shown(slot)} has an alternative without a letter or digit: delete it"
        )
    raise FieldError(
        f"{shown(word)} is {len(found)} words: an alternative is one word, so give each a slot of its own"
    )
