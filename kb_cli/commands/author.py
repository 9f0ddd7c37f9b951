"""`kb new` and `kb lint`: commands for authors."""

from __future__ import annotations

from pathlib import Path

import click

from kb_cli.terminal.summary import name_unsupported_files


@click.command()
@click.argument("title")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("corpus"),
    show_default=True,
    help="Folder for the file.",
)
def new(title: str, folder: Path) -> None:
    """Write a Markdown file with front matter and headings to fill in."""
    from indexer.maintenance.skeleton import new_article

    click.echo(new_article(folder, title))


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
def lint(paths: tuple[Path, ...]) -> int:
    """Check articles for missing aliases and sources, repeated headings, broken links and other mistakes.

    `notices.yaml` and `vocabulary.yaml` in the root of a folder are checked too.
    PATHS are folders or files, by default `corpus`. Ends with exit code 1 if anything was found, or there is nothing
    to check.
    """
    from indexer.corpus.unsupported_files import unsupported_files
    from indexer.maintenance.lint import lint as find

    chosen = list(paths) or [Path("corpus")]
    findings = find(chosen)
    for finding in findings:
        place = f"{finding.path}:{finding.line}" if finding.line is not None else str(finding.path)
        click.echo(f"{place}: {finding.message} [{finding.code}]")
    name_unsupported_files(unsupported_files(chosen))
    click.echo(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}.", err=True)
    return 1 if findings else 0
