"""Given the text of a Markdown file, what its front matter states, and the body below it.

Front matter is YAML between two lines `---`, the first of them the file's first line that is not
blank. It is read as `yaml.safe_load` reads it, but dates stay text (so that a bad one can be
named), a key may stand once, and merge keys, by which a few lines grow to gigabytes, are refused.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from indexer.readers.metadata import kind_of, shown
from kb.errors import ArticleError

_FENCE = "---"
_MERGE = "tag:yaml.org,2002:merge"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


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
    def line_at(index: int) -> int:
        # Not the mark's own line: YAML counts U+2028 as a line end, editors do not.
        return above + block.count("\n", 0, index) + 1

    try:
        # The constructor and its node are used apart, since only nodes know their lines.
        loader = _Loader(block)
        try:
            node = loader.get_single_node()
            values = {} if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "cannot be parsed"
        at = above + 1 if mark is None else line_at(mark.index)
        raise ArticleError(name, f"the front matter is not valid YAML: {reason}", at) from None
    except yaml.reader.ReaderError as error:
        raise ArticleError(
            name,
            f"the front matter holds U+{int(error.character):04X}, which YAML does not allow: "
            "delete it",
            line_at(error.position),
        ) from None
    # What PyYAML's constructors raise for scalars that contradict their tag, and for deep nesting.
    except (ValueError, KeyError, AttributeError, TypeError, IndexError, RecursionError) as error:
        reason = f"{type(error).__name__}, {error}"
        raise ArticleError(
            name, f"the front matter is not valid YAML: {reason}", above + 1
        ) from None
    if not isinstance(node, yaml.MappingNode | None) or not isinstance(values, dict):
        raise ArticleError(
            name,
            f"the front matter is {kind_of(values)}: write `key: value` lines between the ---",
            above + 1,
        )
    pairs = [] if node is None else node.value
    return values, {str(key.value): line_at(key.start_mark.index) for key, _ in pairs}


class _Loader(yaml.SafeLoader):
    """SafeLoader for front matter; see the module's docstring."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if key.tag == _MERGE:
                problem = "merge keys (<<) are not supported: write the keys out"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            if isinstance(key, yaml.ScalarNode):
                name = (key.tag, key.value)
                if name in seen:
                    problem = f"{shown(key.value)} is stated twice: keep one of them"
                    raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
                seen.add(name)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
