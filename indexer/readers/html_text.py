"""Given a piece of HTML, the text that a reader of it sees.

By regular expressions and not by a parser: what comes is a fragment, often an unbalanced one, and
`html.parser` raises on some of those. Every expression reads its input in one pass.
"""

from __future__ import annotations

import re
from html import unescape

_HIDDEN = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<\?.*?(?:\?>|\Z)|<![A-Za-z].*?(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_TAG = re.compile(r"""</?([A-Za-z][A-Za-z0-9-]*+)((?:"[^"]*"|'[^']*'|[^"'<>])*+)>""")
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)

# Every other element starts and ends a line, as in a browser, more or less.
_INLINE = re.compile(
    "a|abbr|b|bdi|bdo|cite|code|data|del|dfn|em|font|i|ins|kbd|label|mark|q|s|samp|small|span|"
    "strong|sub|sup|time|tt|u|var|wbr"
)
_CELLS = frozenset(("td", "th"))


def html_text(html: str) -> str:
    """The lines of text in `html`, white space collapsed, none of them blank; "" without text.

    Comments, scripts, styles and declarations go with what is in them, tags alone. Images give
    their alt text, character references their character. Broken tags stay as text.
    """
    text = _CDATA.sub(lambda match: match[1], _HIDDEN.sub("", html))
    text = unescape(_TAG.sub(_in_place_of_tag, text))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def tag_name(tag: str) -> str:
    """The lower-case name of one tag, with "/" in front where it closes; "" for anything else."""
    match = _TAG.fullmatch(tag)
    return ("/" if tag.startswith("</") else "") + match[1].lower() if match else ""


def _in_place_of_tag(match: re.Match[str]) -> str:
    name = match[1].lower()
    if name == "img":
        alt = _ALT.search(match[2])
        return (alt[1] or alt[2] or "") if alt else ""
    if _INLINE.fullmatch(name):
        return ""
    return " " if name in _CELLS else "\n"
