"""The licences of the locked dependencies, as a table, from the SBOM of an environment made from the lock.

    python scripts/licences.py SBOM.json TABLE.md

A component whose version is not the lock's is an error: the SBOM would be of something else. torch may be a CPU build.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parent.parent / "lock"
OWN = "sectioned-kb"
TOOLS = {"pip", "setuptools", "uv", "wheel"}
"""What an environment has beside the lock."""

Json = dict[str, Any]


def locked() -> dict[str, set[str]]:
    """The versions of each package in the lock files that `make setup` installs."""
    found: dict[str, set[str]] = {}
    for name in ("requirements.lock", "torch.lock", "cuda.lock"):
        pins = re.findall(r"^([\w.-]+)==([^\s;]+)", (LOCK / name).read_text("utf-8"), re.MULTILINE)
        for package, version in pins:
            found.setdefault(normal(package), set()).add(version)
    return found


def normal(name: str) -> str:
    """A package's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def licence(component: Json) -> str:
    """The licences of a component: SPDX ids where there are any, else the names that it gives."""
    found = [
        choice.get("expression")
        or choice["license"].get("id")
        or choice["license"].get("name", "").split("\n")[0]
        for choice in component.get("licenses", ())
    ]
    names = [text.removeprefix("License :: OSI Approved :: ") for text in found]
    named = [text for text in dict.fromkeys(names) if not text.startswith("declared license")]
    return ", ".join(named) or _in_words(component["name"])


def _in_words(name: str) -> str:
    """The licence that an installed package states in its own words, for which an SBOM has no field."""
    try:
        text = str(metadata(name)["License"] or "").strip().split("\n")[0]
    except PackageNotFoundError:
        text = ""
    return text or "not stated"


def table(sbom: Json) -> str:
    """A row for each component. Raises ValueError for those whose versions are not the lock's."""
    versions = locked()
    rows, strange = [], []
    for component in sorted(sbom.get("components", ()), key=lambda each: normal(each["name"])):
        name, version = normal(component["name"]), component["version"]
        if name == OWN or name in TOOLS:
            continue
        if version.partition("+")[0] not in versions.get(name, ()):
            strange.append(f"{name} {version}")
        rows.append(f"| {component['name']} | {version} | {licence(component)} |")
    if strange:
        raise ValueError(f"not of the lock: {', '.join(strange)}; run `make setup`")
    return (
        "# Licences of the locked dependencies\n\n| package | version | licence |\n|---|---|---|\n"
        + "".join(row + "\n" for row in rows)
    )


def main() -> int:
    sbom, out = map(Path, sys.argv[1:])
    try:
        out.write_text(table(json.loads(sbom.read_text(encoding="utf-8"))), encoding="utf-8")
    except ValueError as error:
        print(f"make licences: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
