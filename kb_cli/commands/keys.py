"""`kb keys`: API keys and their scopes."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kb.storage.keys import SCOPES, Key, KeyRing, Scope, keys_file
from kb_cli.terminal.options import index_option, say

_file_option = click.option(
    "--keys-file",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="KB_KEYS_FILE",
    show_envvar=True,
    help="The file of keys. The default is keys/keys.json in the index.",
)


@click.group()
def keys() -> None:
    """Make, list and revoke API keys.

    Keys allow programs to change articles, to administer the service and, if a setting requires it, to search. Without
    any key, administration is off. A running service applies each change at once.
    """


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice(SCOPES),
    help="What the key allows: `search` (if that needs a key), `articles` (changing articles, and their tasks),"
    " `admin` (rebuild, status, tasks). May be given several times.",
)
@index_option
@_file_option
def add(name: str, scopes: tuple[Scope, ...], index: Path, keys_file: Path | None) -> None:
    """Make a key for NAME and print it. It is shown only once, because only its hash is stored."""
    key, presented = _ring(index, keys_file).add(name, scopes)
    click.echo(presented)
    say(
        f"Key {key.id} for {key.name}: {', '.join(key.scopes)}. Save it now; it cannot be shown again."
    )


@keys.command("list")
@index_option
@_file_option
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_keys(index: Path, keys_file: Path | None, as_json: bool) -> None:
    """List the keys: id, time of creation, scopes, name."""
    found = _ring(index, keys_file).all()
    if as_json:
        click.echo(json.dumps([_as_dict(key) for key in found], ensure_ascii=False, indent=2))
        return
    for key in found:
        click.echo(f"{key.id}  {key.created}  {','.join(key.scopes)}  {key.name}")
    if not found:
        say(
            "There is no key: administration is off. Make one with `kb keys add NAME --scope SCOPE`."
        )


@keys.command()
@click.argument("key_id", metavar="ID")
@index_option
@_file_option
def revoke(key_id: str, index: Path, keys_file: Path | None) -> None:
    """Revoke the key with this ID, at once and for good."""
    key = _ring(index, keys_file).revoke(key_id)
    say(f"Revoked key {key.id} for {key.name}.")


def _ring(index: Path, given: Path | None) -> KeyRing:
    return KeyRing(given or keys_file(index))


def _as_dict(key: Key) -> dict[str, object]:
    return {"id": key.id, "name": key.name, "scopes": key.scopes, "created": key.created}
