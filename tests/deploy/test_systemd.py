"""deploy/kb.service by systemd's own tools, which need no systemd that runs."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from servers import DEPLOY, no_program, shipped

from search_api.state.settings import load_settings

MOST_EXPOSURE = 1.5
"""On systemd's scale of 0 to 10. What is left is the network, sockets, and /proc, which the service needs."""


def analyse(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("systemd-analyze")
    if program is None:
        no_program("systemd-analyze")
    return subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, its program the `kb` that is installed here."""
    kb = Path(sys.executable).with_name("kb")
    (tmp_path / "kb.service").write_text(shipped("kb.service", {r"=/opt/kb/bin/kb ": f"={kb} "}))
    return tmp_path / "kb.service"


def test_the_unit_is_free_of_errors_and_unknown_settings(unit: Path) -> None:
    done = analyse("verify", "--man=no", unit)
    assert done.returncode == 0, done.stderr
    assert "kb.service" not in done.stderr
    unit.write_text(unit.read_text().replace("NoNewPrivileges=", "NoNewPrivilege="))
    assert "NoNewPrivilege" in analyse("verify", "--man=no", unit).stderr


def test_it_exposes_no_more_than_it_has_to(unit: Path) -> None:
    bound = f"--threshold={MOST_EXPOSURE * 10:.0f}"
    done = analyse("security", "--offline=yes", bound, unit)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Overall exposure level for kb\.service: \d\.\d", done.stdout)


@pytest.mark.parametrize(
    "line",
    [
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "PrivateDevices=yes",
        "PrivateTmp=yes",
        "ProtectHome=yes",
        "ProtectSystem=strict",
        "SystemCallFilter=~@privileged",
        "User=kb",
    ],
)
def test_each_of_its_bars_is_missed_where_it_is_taken_away(unit: Path, line: str) -> None:
    text = unit.read_text()
    assert f"\n{line}\n" in text
    unit.write_text(text.replace(f"\n{line}\n", "\n"))
    bound = f"--threshold={MOST_EXPOSURE * 10:.0f}"
    assert analyse("security", "--offline=yes", bound, unit).returncode != 0


def test_it_has_time_to_end_and_a_place_for_its_index(tmp_path: Path) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / "kb.service")
    service = parser["Service"]
    settings = load_settings(config=DEPLOY / "kb.toml")
    assert int(service["TimeoutStopSec"]) > settings.shutdown_grace_s
    assert settings.index.is_relative_to(f"/var/lib/{service['StateDirectory']}")
    assert service["LimitCORE"] == "0", "a core dump holds questions"
    assert service["ExecStart"].split()[1:] == ["serve", "--config", "/etc/kb.toml"]
