"""A reader of `vocabulary.yaml`, which lists groups of synonyms.

The file is a list of groups, a group a list of MIN_NAMES to MAX_NAMES names, none of which stands anywhere else in the
file, whatever its endings. A broken group breaks the file, so that a list is in force whole or not at all.
"""

from __future__ import annotations

from pathlib import Path

from indexer.readers import metadata
from indexer.readers.metadata import FieldError, kind_of, shown
from indexer.readers.yaml_text import parse_list
from kb.question.vocabulary import MAX_WORDS
from kb.schema.errors import ArticleError
from kb.text.analysis import stems

MIN_NAMES, MAX_NAMES = 2, 12

Group = tuple[str, ...]


def read_vocabulary(name: Path | str, data: bytes) -> list[Group]:
    """The groups of a file's bytes, in order; `name` stands in errors.

    Raises ArticleError with the line for anything that is not as the module's docstring says.
    """
    parsed = parse_list(name, data, "write a list of groups, - [name, another name]")
    groups: list[Group] = []
    seen: dict[tuple[str, ...], tuple[str, int]] = {}
    for node, value in parsed.items():
        line = parsed.line_of(node)
        try:
            group = _group(value)
            for entry in group:
                _claim(entry, line, seen)
        except FieldError as error:
            raise ArticleError(name, str(error), line) from None
        groups.append(group)
    return groups


def _group(value: object) -> Group:
    if not isinstance(value, list):
        raise FieldError(f"a group is {kind_of(value)}: write [name, another name]")
    names = metadata.lines("a group", value)
    if not MIN_NAMES <= len(names) <= MAX_NAMES:
        raise FieldError(
            f"a group has {len(names)} names: write {MIN_NAMES} to {MAX_NAMES} of them"
        )
    return names


def _claim(entry: str, line: int, seen: dict[tuple[str, ...], tuple[str, int]]) -> None:
    key = tuple(stems(entry))
    if not 1 <= len(key) <= MAX_WORDS:
        raise FieldError(f"the name {shown(entry)} has {len(key)} words: write 1 to {MAX_WORDS}")
    if key in seen:
        other, place = seen[key]
        raise FieldError(
            f"the name {shown(entry)} is the same as {shown(other)} in line {place}: keep one of them"
        )
    seen[key] = (entry, line)
