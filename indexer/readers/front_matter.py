"""The front matter of a Markdown file, and the body below it.

Front matter is YAML between two lines `---`, the first of them the file's first line that is not
blank. `indexer.readers.yaml_text` says how it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from indexer.readers.metadata import kind_of
from indexer.readers.yaml_text import parse_yaml
from kb.schema.errors import ArticleError

_FENCE = "---"


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """`values` by key; `key_lines` are lines of the file, and `body` starts after `lines` of it."""

    values: dict[str, object]
    key_lines: dict[str, int]
    body: str
    lines: int


def read_front_matter(name: Path | str, text: str) -> FrontMatter:
    """Split normalised `text`; without front matter, all of it is the body.

    Raises ArticleError with the line for front matter that is not closed, is not YAML, states a
    key twice, or is anything but `key: value` lines. Keys and types are the caller's to check.
    """
    rows = text.split("\n")
    first = next((number for number, row in enumerate(rows) if row.strip()), 0)
    if rows[first].rstrip() != _FENCE:
        return FrontMatter({}, {}, text, 0)
    closing = (n for n in range(first + 1, len(rows)) if rows[n].rstrip() == _FENCE)
    last = next(closing, None)
    if last is None:
        raise ArticleError(
            name,
            "the front matter that starts here is not closed: add a line --- below it "
            "(for a rule at the top of an article, write ***)",
            first + 1,
        )
    values, key_lines = _parse(name, "\n".join(rows[first + 1 : last]), first + 1)
    return FrontMatter(values, key_lines, "\n".join(rows[last + 1 :]), last + 1)


def _parse(name: Path | str, block: str, above: int) -> tuple[dict[str, object], dict[str, int]]:
    parsed = parse_yaml(name, "the front matter", block, above)
    values = {} if parsed.node is None else parsed.value
    if not isinstance(values, dict):
        raise ArticleError(
            name,
            f"the front matter is {kind_of(values)}: write `key: value` lines between the ---",
            above + 1,
        )
    pairs = [] if parsed.node is None else parsed.node.value
    return values, {str(key.value): parsed.line_of(key) for key, _ in pairs}
