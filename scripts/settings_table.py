"""The table of the settings in docs/operating.md, which `make settings-table` writes there."""

from __future__ import annotations

import sys
from pathlib import Path

from search_api.state.settings import PREFIX, Settings

HEAD = "| environment | default | |\n|---|---|---|"


def settings_table() -> str:
    """The table in Markdown: name, default, meaning; in the order of the fields."""
    rows = [
        f"| `{PREFIX}{name.upper()}` | {_shown(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join([HEAD, *rows])


def with_table(text: str) -> str:
    """A document with the table in place of the one it holds."""
    before, _, rest = text.partition(HEAD)
    _, blank, after = rest.partition("\n\n")
    return f"{before}{settings_table()}{blank}{after}"


def _shown(default: object) -> str:
    value = (
        "" if default is None else f"{default:g}" if isinstance(default, float) else f"{default}"
    )
    return f"`{value}`" if value else ""


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]):
        path.write_text(with_table(path.read_text(encoding="utf-8")), encoding="utf-8")
