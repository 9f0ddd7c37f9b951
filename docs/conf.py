"""The site of these pages: Sphinx with Furo. `make docs` builds it; the pages are plain Markdown.

The sources are the repository's root, so that links between README.md, ARCHITECTURE.md and docs/ hold in both places.
"""

from __future__ import annotations

from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent

project = "Sectioned knowledge base"
extensions = ["myst_parser"]
root_doc = "README"
include_patterns = ["*.md", "docs/**"]
exclude_patterns = [".*", "build", "index", "corpus", "tests", "benchmarks", "docs/conf.py"]
myst_heading_anchors = 4
highlight_language = "none"
html_theme = "furo"
html_title = project
html_show_sourcelink = False
html_show_copyright = False
html_copy_source = False
nitpicky = True

NAVIGATION = {
    "Using it": (
        "getting-started writing-articles addresses searching python client integrations "
        "evaluating-and-tuning api-stability"
    ),
    "Running it": "operating privacy backup scaling",
    "Reference": "reference/cli reference/http reference/settings",
    "How it works": "ranking decisions/README experiments/ranking experiments/performance experiments/faults",
}
"""The pages of docs/ under each heading of the navigation."""


def _with_navigation(_app: Sphinx, name: str, source: list[str]) -> None:
    """Add the table of contents to the pages that lead to others; it is no part of their text."""
    blocks = []
    if name == root_doc:
        blocks = [
            (caption, [f"/docs/{page}" for page in pages.split()])
            for caption, pages in NAVIGATION.items()
        ]
        blocks.append(("Project", ["/ARCHITECTURE", "/CONTRIBUTING", "/SECURITY", "/CHANGELOG"]))
    elif name == "docs/decisions/README":
        records = sorted((ROOT / "docs" / "decisions").glob("0*.md"))
        blocks = [("", [f"/docs/decisions/{record.stem}" for record in records])]
    for caption, pages in blocks:
        option = f":caption: {caption}\n" if caption else ""
        source[0] += f"\n```{{toctree}}\n:hidden:\n{option}\n" + "\n".join(pages) + "\n```\n"


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _with_navigation)
