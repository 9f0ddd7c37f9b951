"""The scripts that check the site, build the wheels and list the licences."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from scripts import check_site, licences, wheels
from support.places import ROOT

SITE = ROOT / "build" / "docs"


@pytest.mark.parametrize(
    "planted",
    [
        '<script src="https://cdn.example.org/a.js"></script>',
        '<link rel="stylesheet" href="//fonts.example.org/a.css">',
        '<img srcset="a.png, http://example.org/b.png 2x">',
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(https://example.org/a.png)">',
    ],
)
def test_what_a_page_loads_from_elsewhere_is_found(planted: str, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(f"<html>{planted}</html>")
    assert len(list(check_site.foreign(tmp_path))) == 1


def test_what_a_style_loads_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@font-face { src: url(https://example.org/a.woff2) }")
    assert len(list(check_site.foreign(tmp_path))) == 1


def test_links_and_what_is_beside_a_page_are_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="https://example.org">x</a><img src="a.png"><script src="_static/a.js"></script>'
    )
    assert list(check_site.foreign(tmp_path)) == []


@pytest.mark.skipif(not SITE.exists(), reason="`make docs` has not built the site")
def test_the_built_site_loads_nothing_from_elsewhere() -> None:
    assert (SITE / "index.html").exists()
    assert list(check_site.foreign(SITE)) == []


@pytest.mark.parametrize("pure", [False, True])
def test_the_pure_wheel_is_built_without_the_extension(pure: bool, tmp_path: Path) -> None:
    wheels.copy_sources(tmp_path, pure=pure)
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text("utf-8"))
    assert ("ext-modules" in project["tool"].get("setuptools", {})) is not pure
    assert project["tool"]["setuptools"]["package-data"]["search_api"]
    assert (tmp_path / "kb" / "compute" / "native.c").exists()
    assert not list(tmp_path.rglob("*.so"))


def test_licences_are_those_of_the_locked_versions() -> None:
    name = "click"
    (version,) = licences.locked()[name]
    component = {
        "name": name,
        "version": version,
        "licenses": [{"license": {"name": "License :: OSI Approved :: BSD License"}}],
    }
    assert f"| click | {version} | BSD License |" in licences.table({"components": [component]})
    with pytest.raises(ValueError, match=r"click 0\.0"):
        licences.table({"components": [{**component, "version": "0.0"}]})


def test_the_tools_are_locked_with_hashes() -> None:
    for name, package in (
        ("docs", "sphinx"),
        ("licences", "cyclonedx-bom"),
        ("wheels", "auditwheel"),
    ):
        text = (ROOT / "lock" / f"{name}.lock").read_text("utf-8")
        assert f"\n{package}==" in text
        pins = [part for part in text.split("\n") if "==" in part]
        assert all(pin.endswith("\\") for pin in pins)
