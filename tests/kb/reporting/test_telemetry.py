"""kb.reporting.telemetry: what the libraries would report is off before they are loaded"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kb.reporting.telemetry import OFF_SWITCHES

DEPLOY = Path(__file__).parents[3] / "deploy"
ON = {name: "true" if value == "false" else "0" for name, value in OFF_SWITCHES.items()}
LOADED = "import sys, types; sys.modules['onnxruntime'] = types.ModuleType('onnxruntime')\n"


def python(
    script: str, home: Path, *flags: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *flags, "-c", script],
        env={**os.environ, **ON, "HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("package", ["kb", "indexer", "search_api", "kb_cli"])
def test_importing_a_package_overrules_an_environment_that_asks_for_reports(
    package: str, tmp_path: Path
) -> None:
    script = f"import {package}, os; print({{n: os.environ[n] for n in {list(ON)}}})"
    assert python(script, tmp_path).stdout.strip() == str(OFF_SWITCHES)


@pytest.mark.slow
def test_the_libraries_understand_it(tmp_path: Path) -> None:
    script = (
        "import kb, huggingface_hub.constants, haystack.telemetry._telemetry, transformers.utils.hub\n"
        "from transformers.utils import is_env_variable_true\n"
        "print(huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY,"
        " haystack.telemetry._telemetry.telemetry, is_env_variable_true('DISABLE_SAFETENSORS_CONVERSION'),"
        " transformers.utils.hub.http_user_agent().endswith('telemetry/off'))"
    )
    done = python(script, tmp_path)
    assert done.stdout.split() == ["True", "None", "True", "True"], done.stderr
    assert list(tmp_path.rglob("*")) == []


def test_that_it_came_too_late_is_said(tmp_path: Path) -> None:
    late = python(f"{LOADED}import kb", tmp_path)
    assert "RuntimeWarning: onnxruntime was imported before kb" in late.stderr
    assert "ORT_DISABLE_TELEMETRY=1" in late.stderr
    was_off = python(f"{LOADED}import kb", tmp_path, "-W", "error", ORT_DISABLE_TELEMETRY="1")
    assert (was_off.returncode, was_off.stderr) == (0, "")


@pytest.mark.parametrize("name", OFF_SWITCHES)
def test_containers_and_units_turn_it_off_as_well_and_the_docs_say_so(name: str) -> None:
    setting = f"{name}={OFF_SWITCHES[name]}"
    assert setting in (DEPLOY / "Containerfile").read_text()
    assert setting in (DEPLOY / "kb.service").read_text()
    docs = (DEPLOY.parent / "docs" / "privacy.md").read_text()
    assert f"| `{name}` | `{OFF_SWITCHES[name]}` |" in docs
