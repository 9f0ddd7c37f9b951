"""The reference pages, written from the code: the command line, the HTTP API and the settings.

    python -m scripts.reference        (`make reference`: writes docs/reference/)

A test compares the pages with the code.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kb_cli.main import kb
from search_api.service.app import create_app
from search_api.state.settings import VARIABLE_PREFIX, Settings, load_settings

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
MADE = "<!-- Written by `make reference` from the code; do not edit. -->"
METHODS = ("get", "post", "put", "delete")

Json = dict[str, Any]


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    document = create_app(load_settings(index=Path("index"))).openapi()
    return {
        "cli.md": command_line_page(),
        "http.md": http_page(document),
        "settings.md": settings_page(),
    }


def commands(
    group: click.Group = kb, name: str = "kb"
) -> Iterator[tuple[str, click.Command, click.Context]]:
    """Each command that does something, in alphabetical order, with its full name and a context."""
    # A command keeps the help option of the first context that asks for it, so this one has the group's settings.
    parent = click.Context(group, info_name=name, **group.context_settings)
    for part, command in sorted(group.commands.items()):
        full = f"{name} {part}"
        if isinstance(command, click.Group):
            yield from commands(command, full)
        else:
            yield full, command, click.Context(command, info_name=full, parent=parent)


def command_line_page() -> str:
    head = f"""\
# Command line

{MADE}

Results go to stdout, messages to stderr. Every command but `kb new` and `kb lint` works on one index:
`--index DIR`, default `index`, environment `KB_INDEX`. `--json` prints the JSON of the [HTTP API](http.md).

| exit code | meaning |
|---|---|
| 0 | Success. A question without an answer is a success. |
| 1 | Failed, or partly failed. |
| 2 | Wrong usage. |
| 3 | The index is missing, damaged or of another format. |
"""
    return head + "".join(_command(*each) for each in commands())


def _command(name: str, command: click.Command, context: click.Context) -> str:
    parameters = command.get_params(context)
    records = [
        record
        for parameter in parameters
        if isinstance(parameter, click.Option) and "--help" not in parameter.opts
        if (record := parameter.get_help_record(context))
    ]
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    rows = [f"| `{_cell(option)}` | {_cell(text)} |" for option, text in records]
    table = "\n".join(["| option | |", "|---|---|", *rows]) + "\n" if rows else ""
    return f"\n## {name}\n\n    {usage}\n\n{_paragraphs(command.help)}\n\n{table}"


def _paragraphs(text: str | None) -> str:
    paragraphs = re.split(r"\n\s*\n", (text or "").replace("\b", "").strip())
    return "\n\n".join(_plain(" ".join(paragraph.split())) for paragraph in paragraphs)


def settings_page() -> str:
    rows = [
        f"| `{VARIABLE_PREFIX}{name.upper()}` | {_default(field.default)} | {_cell(field.description or '')} |"
        for name, field in Settings.model_fields.items()
    ]
    return f"""\
# Settings of the service

{MADE}

Each setting is an environment variable, a key of a TOML file and a flag of `kb serve`: `KB_MAX_WAITING=64`,
`max_waiting = 64`, `--max-waiting 64`. `--config FILE` or `KB_CONFIG` names the file. A flag wins over the environment,
the environment over the file, and the file over the default. The service does not start with an unknown key or a value
that is not accepted; the message names it.

| environment | default | |
|---|---|---|
""" + "".join(row + "\n" for row in rows)


def _default(value: object) -> str:
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else f"{value}"
    return f"`{text}`" if text else ""


def http_page(document: Json) -> str:
    operations = [
        (method, path, item[method])
        for path, item in sorted(document["paths"].items())
        for method in METHODS
        if method in item
    ]
    schemas = document["components"]["schemas"]
    head = f"""\
# HTTP API

{MADE}

{_plain(document["info"]["description"])} [What may change](../api-stability.md) is a page of its own.
A running service has the same document at `/openapi.json`, and a readable form at `/docs`.

Errors are problem details (RFC 9457) in `application/problem+json`, as the shape [Problem](#problem).

| operation | |
|---|---|
"""
    index = "".join(
        f"| [`{method.upper()} {path}`](#{_anchor(f'{method} {path}')}) | {_cell(operation['summary'])} |\n"
        for method, path, operation in operations
    )
    return (
        head
        + index
        + "\n## Operations\n"
        + "".join(_operation(*each) for each in operations)
        + "\n## Shapes\n"
        + "".join(_shape(name, schema) for name, schema in sorted(schemas.items()))
    )


def _operation(method: str, path: str, operation: Json) -> str:
    lines = [
        f"\n### {method.upper()} {path}\n",
        f"{_plain(operation['summary'])}. {_plain(operation.get('description', ''))}\n",
    ]
    if operation.get("security"):
        lines.append("It needs a key.\n")
    if operation.get("parameters"):
        lines += ["| parameter | where | type | |", "|---|---|---|---|"]
        lines += [
            f"| `{each['name']}`{' (required)' if each.get('required') else ''} | {each['in']} "
            f"| {_type(each['schema'])} | {_cell(each.get('description', ''))} |"
            for each in operation["parameters"]
        ]
        lines.append("")
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        lines.append(f"Body: `{media}`, {_type(content.get('schema', {})) or 'as it is'}.\n")
    lines += ["| status | | |", "|---|---|---|"]
    lines += [
        f"| {status} | {_content(response)} | {_cell(response['description'])} |"
        for status, response in sorted(operation["responses"].items())
    ]
    return "\n".join(lines) + "\n"


def _content(response: Json) -> str:
    return ", ".join(
        f"`{media}` {_type(content.get('schema', {}))}".strip()
        for media, content in response.get("content", {}).items()
        if media != "application/problem+json"
    )


def _shape(name: str, schema: Json) -> str:
    rows = [
        f"| `{field}`{' (always)' if field in schema.get('required', ()) else ''} | {_type(value)} "
        f"| {_cell(value.get('description', ''))} |"
        for field, value in schema.get("properties", {}).items()
    ]
    table = "\n".join(["| field | type | |", "|---|---|---|", *rows]) + "\n" if rows else ""
    return f"\n### {name}\n\n{_plain(schema.get('description', ''))}\n\n{table}"


def _type(schema: Json) -> str:
    """The type, bounds and default of a value, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        words = " or ".join(
            _type(each) for each in schema["anyOf"] if each.get("type") != "null" and _type(each)
        )
    elif "enum" in schema:
        words = ", ".join(f"`{value}`" for value in schema["enum"])
    elif schema.get("type") == "array":
        words = f"list of {_type(schema.get('items', {})) or 'values'}"
    else:
        words = str(schema.get("type", ""))
    if "minimum" in schema and "maximum" in schema:
        words += f", {schema['minimum']:,.0f} to {schema['maximum']:,.0f}"
    if schema.get("maxLength"):
        words += f", at most {schema['maxLength']:,} characters"
    if schema.get("maxItems"):
        words += f", at most {schema['maxItems']:,}"
    if schema.get("default") not in (None, "", [], {}):
        words += f" (default `{schema['default']}`)"
    return words


def _anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _plain(text: str) -> str:
    """Text whose angle brackets are not taken for HTML, code spans aside."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(
        part if part.startswith("`") else part.replace("<", "&lt;").replace("*", r"\*")
        for part in parts
    )


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", r"\|")


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
