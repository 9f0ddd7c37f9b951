"""A built site, checked: its pages load no script, style, font or image from elsewhere.

python scripts/check_site.py FOLDER
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

LOADING = {
    ("script", "src"), ("link", "href"), ("img", "src"), ("img", "srcset"), ("source", "src"),
    ("source", "srcset"), ("iframe", "src"), ("object", "data"), ("video", "src"), ("audio", "src"),
    ("use", "href"), ("image", "href"), ("form", "action"),
}  # fmt: skip
"""Elements and attributes whose address a browser loads or sends to."""
ELSEWHERE = re.compile(r"(https?:)?//")
IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?\s*(?:https?:)?//[^\s\"')]+")


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if (tag, name) in LOADING and ELSEWHERE.search(value or ""):
                self.found.append(f'<{tag} {name}="{value}">')


def foreign(folder: Path) -> Iterator[str]:
    """What the pages and styles in a folder load from elsewhere: the file and the place in it."""
    for path in sorted(folder.rglob("*")):
        if path.suffix not in (".html", ".css"):
            continue
        text = path.read_text(encoding="utf-8")
        page = _Page()
        if path.suffix == ".html":
            page.feed(text)
        for found in [*page.found, *IN_STYLE.findall(text)]:
            yield f"{path.relative_to(folder)}: {found}"


def main() -> int:
    found = list(foreign(Path(sys.argv[1])))
    for line in found:
        print(line, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
