"""The plain text of parsed Markdown, which is indexed, quoted and cited.

Blocks are separated by a blank line. A list and a table are one block each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from indexer.readers.html_text import html_text, is_placeholder, tag_name
from indexer.readers.text import normalise

_INDENT = "  "


def section_text(nodes: Sequence[SyntaxTreeNode]) -> str:
    """The text of some sibling blocks, normalised; "" if none of them has any.

    Paragraphs join their lines by a space, hard breaks are line ends. List items take a line each,
    "- item" or "1. item", what is nested in them indented by two spaces. Table rows take a line
    each, cells joined by " | ". Code is verbatim but for blank lines around it. Quotes are their
    inner text, images their alt text; tags, comments and thematic breaks vanish.
    """
    # Normalised once more, since character references can spell what the file itself did not hold.
    return normalise("\n\n".join(_blocks(nodes)))


def inline_text(node: SyntaxTreeNode) -> str:
    """The text of a heading on one line, normalised."""
    return " ".join(normalise(_inline(node)).split())


def _blocks(nodes: Sequence[SyntaxTreeNode]) -> Iterator[str]:
    for node in nodes:
        if node.type == "blockquote":
            yield from _blocks(node.children)
        elif text := _block(node):
            yield text


def _block(node: SyntaxTreeNode) -> str:
    text = ""
    match node.type:
        case "paragraph" | "heading":
            text = _lines(_inline(node))
        case "bullet_list" | "ordered_list":
            text = _list(node)
        case "table":
            rows = (_row(row) for part in node.children for row in part.children)
            text = "\n".join(row for row in rows if row)
        case "fence" | "code_block":
            text = node.content.strip("\n")
        case "html_block":
            text = html_text(node.content)
    return text if text.strip() else ""


def _list(node: SyntaxTreeNode) -> str:
    start = int(node.attrs.get("start", 1))
    items: list[str] = []
    for number, item in enumerate(node.children, start=start):
        first, *others = "\n".join(_blocks(item.children)).split("\n")
        if first or others:
            marker = "-" if node.type == "bullet_list" else f"{number}."
            indented = (_INDENT + line if line else "" for line in others)
            items.append("\n".join((f"{marker} {first}", *indented)))
    return "\n".join(items)


def _row(row: SyntaxTreeNode) -> str:
    cells = [" ".join(_inline(cell).split()) for cell in row.children]
    return " | ".join(cells).strip() if any(cells) else ""


def _lines(text: str) -> str:
    """`text` without the blank lines that dropped tags leave: they would end the block."""
    return "\n".join(line.strip() for line in text.split("\n") if line.strip())


def _inline(node: SyntaxTreeNode) -> str:
    return "".join(
        _tokens_text(child.token.children or ())
        for child in node.children
        if child.type == "inline" and child.token is not None
    )


def _tokens_text(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    hidden = ""  # the name of the script or style element that the tokens are in
    for token in tokens:
        name = tag_name(token.content) if token.type == "html_inline" else ""
        if hidden:
            if name == "/" + hidden:
                hidden = ""
        elif name in ("script", "style"):
            hidden = name
        elif token.type == "hardbreak" or name == "br":
            parts.append("\n")
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "image":
            parts.append(_tokens_text(token.children or ()))
        elif token.type in ("text", "code_inline") or is_placeholder(token.content):
            parts.append(token.content)
    return "".join(parts)
