"""The results of the tools as text: notices first, then the verdict, then quotations."""

from __future__ import annotations

from kb.mcp.answers import ArticlesAnswer, Passage, SearchAnswer, SectionAnswer


def of_search(answer: SearchAnswer) -> str:
    """An answer as text. Each line of a quotation begins with `> `."""
    parts = []
    for notice in answer.notices:
        links = [f"{link.title}: {link.url}" for link in notice.links]
        urgency = "IMPORTANT, show" if notice.kind == "emergency" else "Show"
        parts.append(
            "\n".join([f"{urgency} this first and unchanged: {notice.title}", notice.text, *links])
        )
    parts.append(answer.verdict)
    if answer.searched_for:
        parts.append(f"Searched for: {answer.searched_for}")
    if answer.left_out:
        parts.append(f"Left out, as the question asks with a minus: {', '.join(answer.left_out)}")
    parts += [
        _cited(f"[{number}]", passage) for number, passage in enumerate(answer.passages, start=1)
    ]
    if answer.when_to_seek_care is not None:
        parts.append(_cited("When to seek care:", answer.when_to_seek_care))
    return "\n\n".join(parts)


def of_section(answer: SectionAnswer) -> str:
    """A section with its citation, or the names of an article's sections."""
    lines = [_place(answer.article_title, answer.section_heading)]
    if answer.section_id:
        lines += [_quoted(answer.text), f"Link: {answer.url}"]
    else:
        lines.append("Sections, to read by `section_id`:")
        lines += [
            f"- {section.section_id}: {section.heading or '(above the first heading)'}"
            for section in answer.sections
        ]
    if answer.source_url:
        lines.append(f"Publisher's page: {answer.source_url}")
    lines.append(_dates(answer.updated, answer.reviewed))
    lines += [f"Source: {source.title} {source.url}".rstrip() for source in answer.sources]
    return "\n".join(lines)


def of_articles(answer: ArticlesAnswer) -> str:
    """One line for each article."""
    lines = [f"{answer.total:,} articles in all."]
    lines += [
        f"- {entry.title} (article_id: {entry.article_id}; {_dates(entry.updated, entry.reviewed)})"
        for entry in answer.articles
    ]
    if answer.next_offset is not None:
        lines.append(f"More with offset {answer.next_offset}.")
    return "\n".join(lines)


def _cited(mark: str, passage: Passage) -> str:
    lines = [
        f"{mark} {_place(passage.article_title, passage.section_heading)}",
        _quoted(passage.quote),
        f"Link: {passage.url}",
    ]
    if passage.source_url:
        lines.append(f"Publisher's page: {passage.source_url}")
    lines.append(_dates(passage.updated, passage.reviewed))
    lines.append(
        f"The whole section: article_id {passage.article_id}, section_id {passage.section_id}"
    )
    return "\n".join(lines)


def _place(title: str, heading: str) -> str:
    return f"{title} › {heading}" if heading else title


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _dates(updated: str | None, reviewed: str | None) -> str:
    changed = f"updated {updated}" if updated else "date of last change unknown"
    return (
        f"{changed}; {f'clinically reviewed {reviewed}' if reviewed else 'not clinically reviewed'}"
    )
