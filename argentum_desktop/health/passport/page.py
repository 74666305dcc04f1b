"""A passport as one HTML file. Nothing is loaded, nothing runs, and foreign text stays text."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, tzinfo
from html import escape

from argentum_desktop.domain.health import HealthReport
from argentum_desktop.health.passport.page_content import passport_page
from argentum_desktop.health.passport.page_parts import (
    Block,
    Cell,
    Chart,
    Column,
    Facts,
    Finding,
    Head,
    Page,
    Paragraph,
    Section,
    Table,
    Tone,
)
from argentum_desktop.health.passport.page_style import CSS
from argentum_desktop.health.passport.page_svg import sign_svg
from argentum_desktop.health.passport.verify import Verification

_TONE_CLASS = {tone: "note-tone" if tone is Tone.NOTE else tone.value for tone in Tone}


def passport_html(
    verified: Verification, zone: tzinfo, latest: HealthReport | None = None, made_at: datetime | None = None
) -> str:
    """The page of a passport; what is given is what `passport_page` takes."""
    return page_html(passport_page(verified, zone, latest, made_at))


def page_html(page: Page) -> str:
    """The page, whole in one file."""
    simulated = ' class="simulated"' if page.head.is_simulated else ""
    body = "".join((_head(page.head), *map(_section, page.sections), f"<footer>{escape(page.foot)}</footer>"))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_policy()}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light">'
        f"<title>{escape(page.head.title)}: passport of a graphics card</title><style>{CSS}</style></head>"
        f"<body{simulated}>{body}</body></html>\n"
    )


def _policy() -> str:
    """Nothing but this very style sheet."""
    digest = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _head(head: Head) -> str:
    banner = "".join(f'<p class="banner">{escape(words)}</p>' for words in head.banners)
    lines = "".join(f"<span>{escape(line)}</span>" for line in head.lines)
    return (
        f'<header>{banner}<p class="over">Argentum Desktop · Passport of a graphics card</p>'
        f'<h1>{escape(head.title)}</h1><p class="muted">{escape(head.subtitle)}</p>'
        f'<div class="grade"><div class="letter {_TONE_CLASS[head.tone]}" aria-hidden="true">'
        f"{escape(head.letter)}</div>"
        f"<div><strong>{escape(head.grade)}</strong>{lines}</div></div>"
        f'<p class="reason">{escape(head.reason)}</p></header>'
    )


def _section(section: Section) -> str:
    return f"<section><h2>{escape(section.title)}</h2>{''.join(map(_block, section.blocks))}</section>"


def _block(block: Block) -> str:
    match block:
        case Paragraph():
            return _paragraph(block)
        case Facts():
            return _facts(block)
        case Finding():
            return _finding(block)
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)


def _paragraph(paragraph: Paragraph) -> str:
    text = escape(paragraph.text)
    kind = ' class="muted"' if paragraph.is_muted else ""
    return f"<p{kind}><code>{text}</code></p>" if paragraph.is_code else f"<p{kind}>{text}</p>"


def _facts(facts: Facts) -> str:
    start, end = ("<code>", "</code>") if facts.is_code else ("", "")
    rows = (f"<dt>{escape(name)}</dt><dd>{start}{escape(value)}{end}</dd>" for name, value in facts.pairs)
    return f"<dl>{''.join(rows)}</dl>"


def _finding(finding: Finding) -> str:
    words = "".join(f"<p>{escape(text)}</p>" for text in (finding.words, finding.remedy) if text)
    return (
        f'<div class="finding">{sign_svg(finding.tone)}<h3>{escape(finding.title)} '
        f'<span class="{_TONE_CLASS[finding.tone]}">{escape(finding.verdict)}</span></h3>{words}</div>'
    )


def _table(table: Table) -> str:
    heads = "".join(f'<th scope="col"{_align(column)}>{escape(column.title)}</th>' for column in table.columns)
    rows = "".join(
        f"<tr>{''.join(_cell(column, cell) for column, cell in zip(table.columns, row, strict=True))}</tr>"
        for row in table.rows
    )
    kind = "stack" if table.stacks else "wide"
    widths = "".join(f'<col width="{column.share}%">' for column in table.columns) if table.stacks else ""
    return f'<div class="{kind}"><table>{widths}<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _align(column: Column) -> str:
    return ' class="n"' if column.is_number else ""


def _cell(column: Column, cell: Cell) -> str:
    text = escape(cell.text)
    if cell.tone:
        text = f'<span class="sign {_TONE_CLASS[cell.tone]}">{sign_svg(cell.tone)}{text}</span>'
    note = f'<span class="note">{escape(cell.note)}</span>' if cell.note else ""
    return f'<td{_align(column)} data-head="{escape(column.title)}">{text}{note}</td>'


def _chart(chart: Chart) -> str:
    caption = f"<figcaption>{escape(chart.caption)}</figcaption>" if chart.caption else ""
    return f'<figure><div class="broad">{chart.wide}</div><div class="narrow">{chart.narrow}</div>{caption}</figure>'
