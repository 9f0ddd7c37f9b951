"""Whether the plain package works where nobody develops it: on other Pythons, and with the oldest libraries it allows.

    make sanity                     (as root; needs the network, some minutes, and 4 GB in build/sanity/)

Each Python is Debian's, in a root that mmdebstrap makes, without a C compiler. The pure wheel is installed there with
the plain dependencies and what reads articles: no torch, no FAISS, no compiled part. Then some tests run, and an index
is searched, patched by a build, searched again and served. No Debian has Python 3.12: there the wheels alone are looked
for.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from scripts import wheels
from scripts.debian_roots import (
    PATH,
    ROOT,
    SUITES,
    StepFailed,
    apart,
    is_root,
    make_root,
    mount_for_steps,
    reaching,
    say,
)

NEWEST, LOWEST = "newest", "lowest"
PASSED = "passed"
RUNS = (("3.11", NEWEST), ("3.11", LOWEST), ("3.13", NEWEST), ("3.14", NEWEST))
RESOLVED_ALONE = "3.12"
PACKAGES = "ca-certificates,python3,python3-venv"
TESTS = ("kb/compute", "kb/schema", "kb/tasks", "kb/text", "indexer/readers")
NEEDED_TO_READ = ("sentencex",)
"""Of the extra `indexing`: what new articles take where the index has its encoder."""
NEEDED_TO_TEST = ("hypothesis", "pytest", "rank-bm25")
INSIDE = Path("/sanity")
"""In a root: the wheel, the tests, the script and the environments."""


def requirements() -> list[str]:
    """What pyproject.toml asks for, with its bounds."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]

    def chosen(extra: str, names: tuple[str, ...]) -> list[str]:
        return [each for each in optional[extra] if re.match(r"[\w-]+", each)[0] in names]  # type: ignore[index]

    read = chosen("indexing", NEEDED_TO_READ)
    return [
        *project["dependencies"],
        *optional["writing"],
        *read,
        *chosen("test", NEEDED_TO_TEST),
    ]


def lowest(folder: Path) -> list[str]:
    """The lowest version of each direct dependency that its bound allows, and what goes with them."""
    tools = folder / "tools"
    subprocess.run([sys.executable, "-m", "venv", tools], check=True)
    subprocess.run([tools / "bin/pip", "install", "-q", "uv"], check=True)
    command = [
        tools / "bin/uv",
        "pip",
        "compile",
        "-",
        "--resolution",
        "lowest-direct",
        "--no-header",
    ]
    options = ["--no-annotate", "--only-binary", ":all:", "--python-version", "3.11", "--quiet"]
    done = subprocess.run(
        [*command, *options],
        input="\n".join(requirements()),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise StepFailed("there are no lowest versions that go together")
    return done.stdout.split()


def resolve(version: str, folder: Path) -> None:
    """Whether every dependency has a wheel for that Python, or one for all."""
    command = [sys.executable, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed"]
    where = ["--python-version", version, "--only-binary", ":all:", "--target", folder / "none"]
    if subprocess.run([*command, *where, *requirements()], check=False).returncode:
        raise StepFailed(f"not every dependency has a wheel for Python {version}")


def prepare(folder: Path) -> None:
    """The pure wheel, and a library whose index has its encoder."""
    wheels.build(folder / "wheels")
    shutil.copytree(ROOT / "corpus", folder / "library" / "corpus")
    where = ["--index", folder / "library" / "index", "--corpus", folder / "library" / "corpus"]
    build = [sys.executable, "-m", "kb_cli", "build", *where]
    subprocess.run(build, cwd=ROOT, check=True, env={**os.environ, "HF_HUB_OFFLINE": "1"})


def fill(root: Path, folder: Path) -> None:
    """Put into a root what a run takes. The library stays at its path, which its index knows."""
    inside = root / INSIDE.relative_to("/")
    inside.mkdir()
    (pure,) = (folder / "wheels").glob("*-none-any.whl")
    shutil.copy(pure, inside)
    for name in ("tests", "pyproject.toml", "scripts/round_trip.py"):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, inside / source.name, ignore=shutil.ignore_patterns("*.xz"))
        else:
            shutil.copy(source, inside)


def run_in(root: Path, *command: str | Path, **environment: str) -> None:
    done = subprocess.run(
        ["chroot", root, "sh", "-c", f'cd {INSIDE} && exec "$@"', "sh", *command],
        env={**reaching(), "PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **environment},
        check=False,
    )
    if done.returncode:
        raise StepFailed(f"exit {done.returncode} of {' '.join(map(str, command))}")


def check(root: Path, folder: Path, which: str) -> None:
    """Install, test and use the package in a root, by an environment of its own."""
    library, environment = folder / "library", INSIDE / which
    there = root / library.relative_to("/")
    shutil.rmtree(there, ignore_errors=True)
    shutil.copytree(library, there)
    run_in(root, "python3", "-m", "venv", environment)
    pip = (environment / "bin/pip", "install", "-q", "--only-binary", ":all:")
    run_in(root, *pip, *(lowest(folder) if which == LOWEST else requirements()))
    (pure,) = (folder / "wheels").glob("*-none-any.whl")
    run_in(root, *pip, "--no-deps", INSIDE / pure.name)
    run_in(root, environment / "bin/pip", "list", "--format", "freeze")
    # Warnings are for the versions of the lock.
    options = ("-q", "-W", "default", "-m", "not slow", "-p", "no:cacheprovider")
    tests = [INSIDE / "tests" / each for each in TESTS]
    python = environment / "bin/python"
    run_in(root, python, "-m", "pytest", *options, "--hypothesis-profile=quick", *tests)
    run_in(root, python, INSIDE / "round_trip.py", library / "index", library / "corpus")


def check_all(folder: Path) -> dict[str, str]:
    """What came of each run, by its name."""
    outcomes = {}
    prepare(folder)
    for version in dict.fromkeys(version for version, _ in RUNS):
        root = folder / f"root-{version}"
        for which in (which for of, which in RUNS if of == version):
            name = f"Python {version} (Debian {SUITES[version]}), {which} versions"
            say(name)
            try:
                if not root.exists():
                    make_root(root, version, PACKAGES)
                    mount_for_steps(root)
                    fill(root, folder)
                check(root, folder, which)
                outcomes[name] = PASSED
            except (StepFailed, subprocess.CalledProcessError) as error:
                outcomes[name] = f"failed: {error}"
    name = f"Python {RESOLVED_ALONE}, wheels of the {NEWEST} versions"
    say(name)
    try:
        resolve(RESOLVED_ALONE, folder)
        outcomes[name] = PASSED
    except StepFailed as error:
        outcomes[name] = f"failed: {error}"
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "sanity")
    parser.add_argument("--in-name-space", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not is_root():
        return 2
    folder = options.folder.resolve()
    if not options.in_name_space:
        return apart("scripts.sanity", folder, "--folder", folder)
    try:
        outcomes = check_all(folder)
    except (StepFailed, subprocess.CalledProcessError) as error:
        print(f"\nFailed: {error}", file=sys.stderr)
        return 1
    print("\n" + "\n".join(f"{name}: {outcome}" for name, outcome in outcomes.items()))
    return int(set(outcomes.values()) != {PASSED})


if __name__ == "__main__":
    sys.exit(main())
