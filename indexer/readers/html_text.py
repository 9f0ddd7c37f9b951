"""The visible text of a piece of HTML.

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

# The HTML Living Standard's elements, obsolete ones too, and MathML's; SVG's have attributes.
_ELEMENTS = frozenset(
    """a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body
    br button canvas caption center cite code col colgroup data datalist dd defs del desc details dfn dialog dir
    div dl dt em embed fieldset figcaption figure font footer form frame frameset g h1 h2 h3 h4 h5 h6 head header
    hgroup hr html i iframe image img input ins isindex kbd keygen label legend li link listing main map mark
    marquee math menu menuitem meta meter mfrac mi mn mo mover mrow ms mspace msqrt mstyle msub msubsup msup
    mtable mtd mtext mtr munder munderover nav nobr noembed noframes noscript object ol optgroup option output p
    param picture plaintext pre progress q rb rp rt rtc ruby s samp script search section select selectedcontent
    shadow slot small source spacer span strike strong style sub summary sup svg table tbody td template textarea
    tfoot th thead time title tr track tspan tt u ul var video wbr xmp""".split()  # noqa: SIM905
)


def html_text(html: str) -> str:
    """The lines of text in `html`, white space collapsed, none of them blank; "" without text.

    Comments, scripts, styles and declarations go with what is in them, tags alone. Images give
    their alt text, character references their character. Broken tags stay as text, and so do
    names in angle brackets that are no element's, as in "press <Enter>".
    """
    text = _CDATA.sub(lambda match: match[1], _HIDDEN.sub("", html))
    text = unescape(_TAG.sub(_in_place_of_tag, text))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def tag_name(tag: str) -> str:
    """The lower-case name of one tag, with "/" in front where it closes; "" for anything else."""
    match = _TAG.fullmatch(tag)
    return ("/" if tag.startswith("</") else "") + match[1].lower() if match else ""


def is_placeholder(tag: str) -> bool:
    """Whether what looks like a tag is something that a writer put in angle brackets, and no element."""
    match = _TAG.fullmatch(tag)
    return match is not None and _is_placeholder(match)


def _is_placeholder(match: re.Match[str]) -> bool:
    # With an attribute's value, a hyphen or a slash in front it is an element of somebody's own.
    own = "-" in match[1] or "=" in match[2] or match[0].startswith("</")
    return not own and match[1].lower() not in _ELEMENTS


def _in_place_of_tag(match: re.Match[str]) -> str:
    if _is_placeholder(match):
        return match[0]
    name = match[1].lower()
    if name == "img":
        alt = _ALT.search(match[2])
        return (alt[1] or alt[2] or "") if alt else ""
    if _INLINE.fullmatch(name):
        return ""
    return " " if name in _CELLS else "\n"
