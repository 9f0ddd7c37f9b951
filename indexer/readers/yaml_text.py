"""A reader of YAML that people write by hand, with the line of each part.

It is read as `yaml.safe_load` reads it, but dates stay text (so that a bad one can be named), a key may stand
once, and merge keys, by which a few lines grow to gigabytes, are refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from indexer.readers.metadata import kind_of, shown
from indexer.readers.text import decode
from kb.schema.errors import ArticleError

_MERGE = "tag:yaml.org,2002:merge"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


@dataclass(frozen=True, slots=True)
class ParsedYaml:
    """`value` is what the text says; `node`, None for an empty text, is the same with places."""

    text: str
    above: int
    node: Any
    value: object

    def line_of(self, node: Any) -> int:
        """The line of the file on which a node begins."""
        return _line(self.text, self.above, node.start_mark.index)

    def items(self) -> Iterator[tuple[Any, Any]]:
        """Of a list, each item's node and value; nothing of an empty text."""
        if self.node is not None and isinstance(self.value, list):
            yield from zip(self.node.value, self.value, strict=True)


def parse_yaml(name: Path | str, what: str, text: str, above: int = 0) -> ParsedYaml:
    """Parse normalised `text`, which begins below line `above` of the file.

    Raises ArticleError with the line for what is not YAML; `what` is how its message calls the text.
    """
    try:
        # The constructor and its node are used apart, since only nodes know their lines.
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            value = None if node is None else loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = error.problem or error.context or "cannot be parsed"
        at = above + 1 if mark is None else _line(text, above, mark.index)
        raise ArticleError(name, f"{what} is not valid YAML: {reason}", at) from None
    except yaml.reader.ReaderError as error:
        raise ArticleError(
            name,
            f"{what} holds U+{int(error.character):04X}, which YAML does not allow: delete it",
            _line(text, above, error.position),
        ) from None
    # What PyYAML's constructors raise for scalars that contradict their tag, and for deep nesting.
    except (ValueError, KeyError, AttributeError, TypeError, IndexError, RecursionError) as error:
        reason = f"{type(error).__name__}, {error}"
        raise ArticleError(name, f"{what} is not valid YAML: {reason}", above + 1) from None
    return ParsedYaml(text, above, node, value)


def parse_list(name: Path | str, data: bytes, remedy: str) -> ParsedYaml:
    """The YAML of a file that is one list, or empty. Raises ArticleError, which ends in `remedy`, for anything else."""
    parsed = parse_yaml(name, "the file", decode(name, data))
    if parsed.node is not None and not isinstance(parsed.value, list):
        raise ArticleError(name, f"the file is {kind_of(parsed.value)}: {remedy}", 1)
    return parsed


def _line(text: str, above: int, index: int) -> int:
    # Not the mark's own line: YAML counts U+2028 as a line end, editors do not.
    return above + text.count("\n", 0, index) + 1


class _Loader(yaml.SafeLoader):
    """SafeLoader for what people write by hand; see the module's docstring."""

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
