"""What stands on a passport's page, whoever draws it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, tzinfo

from argentum_desktop.domain.health import CardIdentity, HealthReport
from argentum_desktop.domain.passport import Passport
from argentum_desktop.health.passport.chain import KeySpan
from argentum_desktop.health.passport.page_check import all_checks, findings, second_by_second
from argentum_desktop.health.passport.page_head import NOT_SOUND, SIMULATED, Subject, head_of
from argentum_desktop.health.passport.page_life import comparisons, earlier_checks, repairs, work
from argentum_desktop.health.passport.page_parts import Block, Facts, Finding, Page, Paragraph, Section, Tone
from argentum_desktop.health.passport.page_words import (
    clean,
    grouped,
    memory,
    moment,
    number,
)
from argentum_desktop.health.passport.verify import Verification

_MOST_KEYS = 12
_MOST_PROBLEMS = 12
_PAPER_PROVES_NOTHING = (
    "This page alone proves nothing: it can be drawn by anybody. Verify the file, and when you receive the card, let "
    "your own computer compare it with the passport."
)
_LIMITS = (
    "A check tells only of what was tested. It cannot see faults that come and go, or that appear only after long "
    "hours in heat. A passed check is not a promise that the card is sound."
)


def passport_page(
    verified: Verification, zone: tzinfo, latest: HealthReport | None = None, made_at: datetime | None = None
) -> Page:
    """The whole page.

    Args:
        verified: the passport, as it was found to be (`verify_passport`).
        zone: in which times are told.
        latest: the check to show; the one that counts in the passport where it is None.
        made_at: when the page was made; not told where it is None.
    """
    life, passport = verified.life, verified.passport
    report = latest or (life.standing.report if life.standing else None)
    card = report.card if report else life.card
    is_simulated = life.is_simulated or bool(report and report.is_simulated)
    sections = [
        *_broken(verified),
        *([findings(report)] if report else []),
        _signed(verified, report),
        _card(card, passport),
        *([all_checks(report), second_by_second(report, zone)] if report else []),
        *earlier_checks(life, zone),
        work(life),
        repairs(life, zone),
        *comparisons(verified, zone),
        _fingerprint(verified, zone, made_at),
    ]
    subject = Subject(card, report, is_simulated, verified.is_sound)
    return Page(head_of(subject, zone), tuple(sections), _foot(subject, passport))


def _broken(verified: Verification) -> Iterator[Section]:
    problems = verified.problems
    if problems:
        found = tuple(Finding(Tone.FAULT, "", clean(problem), "") for problem in problems[:_MOST_PROBLEMS])
        rest = len(problems) - _MOST_PROBLEMS
        more = (Paragraph(f"{number(rest)} more problems were found."),) if rest > 0 else ()
        yield Section("What does not hold", (*found, *more))


def _signed(verified: Verification, report: HealthReport | None) -> Section:
    trust, keys = verified.trust, verified.chain.keys
    blocks: list[Block] = []
    if verified.is_sound:
        blocks += [
            Paragraph(clean(trust.words)),
            Paragraph(clean(f"This shows that {trust.proves}.")),
            Paragraph(clean(f"It does not show {trust.proves_not}.")),
        ]
    if keys:
        blocks.append(Paragraph("Signed with these keys, each of one computer:", is_muted=True))
        blocks.append(Facts(tuple((_span_words(span), span.key_id) for span in keys[:_MOST_KEYS]), is_code=True))
    if len(keys) > _MOST_KEYS:
        blocks.append(Paragraph(f"{number(len(keys) - _MOST_KEYS)} more changes of the key stand in the file."))
    if report and all(written.report.report_id != report.report_id for written in verified.life.reports):
        blocks.append(Paragraph("The check shown here is not an entry of the passport: no signature covers it."))
    blocks += [Paragraph(clean(note)) for note in verified.notes[:_MOST_PROBLEMS]]
    blocks += [Paragraph(_PAPER_PROVES_NOTHING), Paragraph(_LIMITS)]
    return Section("Who signed this, and what it proves", tuple(blocks))


def _span_words(span: KeySpan) -> str:
    if span.first_number == span.last_number:
        return f"Entry {span.first_number}"
    return f"Entries {span.first_number} to {span.last_number}"


def _card(card: CardIdentity | None, passport: Passport) -> Section:
    told: list[tuple[str, str | None]] = [("Identifier", passport.gpu_id)]
    if card:
        told = [
            ("Identifier", card.gpu_id),
            ("Serial number", card.serial),
            ("PCI ids", " · ".join(filter(None, (card.pci_id, card.pci_subsystem)))),
            ("PCI address", card.pci_address),
            ("Video BIOS", card.vbios_version),
            ("Driver", " ".join(filter(None, (card.driver, card.driver_version)))),
            ("Memory", memory(card.memory_bytes)),
        ]
    pairs = tuple((name, clean(value, 200)) for name, value in told if value)
    words = "As its driver says. Compare it with the label on the card and with what your own computer says."
    return Section("The card", (Facts(pairs, is_code=True), Paragraph(words, is_muted=True)))


def _fingerprint(verified: Verification, zone: tzinfo, made_at: datetime | None) -> Section:
    passport = verified.passport
    blocks: list[Block] = []
    if passport.entries:
        last = passport.entries[-1]
        words = f"Entry {last.number}, the last of {number(len(passport.entries))}, written "
        blocks.append(Paragraph(f"{words}{moment(last.at, zone)}. Its SHA-256:"))
        blocks.append(Paragraph(grouped(clean(last.sha256, 64)), is_code=True))
        blocks.append(Paragraph("Signed with the key:"))
        blocks.append(Paragraph(verified.chain.keys[-1].key_id, is_code=True))
    else:
        blocks.append(Paragraph("The passport has no entry, and so no fingerprint."))
    blocks.append(Paragraph("Verify the file that came with this page, on any computer, without a network:"))
    blocks.append(Paragraph("argentum-desktop passport verify FILE", is_code=True))
    blocks.append(Paragraph("Compare the card in your computer with it:"))
    blocks.append(Paragraph("argentum-desktop passport match FILE", is_code=True))
    if made_at:
        blocks.append(Paragraph(f"Page made {moment(made_at, zone)}.", is_muted=True))
    return Section("Fingerprint, and how to verify it", tuple(blocks))


def _foot(subject: Subject, passport: Passport) -> str:
    last = passport.entries[-1] if passport.entries else None
    parts = (
        "" if subject.is_sound else NOT_SOUND,
        SIMULATED if subject.is_simulated else "",
        "Passport of a graphics card",
        clean(subject.name, 60),
        f"entry {last.number}, {clean(last.sha256[:16])}" if last else "",
    )
    return " · ".join(part for part in parts if part)
