"""What a check of a real, sound card must have found. Pure, so that it can be tried without a card."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from argentum_desktop.domain.health import SCHEMA, HealthReport
from argentum_desktop.domain.stress import AdapterType, StressEnd

LEAST_COVERAGE_PERCENT = 75
LEAST_OF_DATASHEET, MOST_OF_DATASHEET = 0.6, 1.05
LEAST_OF_PLAIN_COPY = 0.7


def report_in(said: bytes) -> HealthReport:
    """The report within what the command printed."""
    found = _find(msgspec.json.decode(said))
    assert found is not None, f"no report in what the command printed: {said[:2000]!r}"
    return msgspec.convert(found, HealthReport, strict=False)


def _find(document: Any) -> Any:
    if isinstance(document, dict):
        if document.get("schema") == SCHEMA:
            return document
        document = list(document.values())
    if isinstance(document, list):
        return next((found for part in document if (found := _find(part)) is not None), None)
    return None


def disappointments(report: HealthReport, datasheet_mb_s: int | None, plain_mb_s: int | None) -> list[str]:
    """What is not as it must be with a sound card; nothing when all is.

    Args:
        datasheet_mb_s: of the reference table; None where it does not have the card.
        plain_mb_s: the card's own copy, measured just now.
    """
    stress = report.stress
    if stress is None or stress.end is not StressEnd.COMPLETED:
        return [f"the load did not complete: {stress.end.value} {stress.words}" if stress else "there was no load"]
    found = []
    if stress.engine is None or stress.engine.adapter_type in {AdapterType.CPU, AdapterType.SIMULATED}:
        found.append(f"no card computed: {stress.engine}")
    memory, compute = stress.memory, stress.compute
    if memory is None or compute is None:
        return [*found, f"memory {memory}, arithmetic {compute}"]
    if memory.errors:
        found.append(f"{memory.errors} memory errors, bits {memory.bad_bits:#x}")
    if memory.coverage_percent < LEAST_COVERAGE_PERCENT:
        found.append(f"{memory.coverage_percent} % of the memory tested")
    if compute.mismatches:
        found.append(f"{compute.mismatches} wrong results")
    rate = (stress.copy.device_mb_s if stress.copy else None) or 0
    if datasheet_mb_s and not LEAST_OF_DATASHEET <= rate / datasheet_mb_s <= MOST_OF_DATASHEET:
        found.append(f"{rate} MB/s of the datasheet's {datasheet_mb_s}")
    if plain_mb_s and rate < LEAST_OF_PLAIN_COPY * plain_mb_s:
        found.append(f"{rate} MB/s of {plain_mb_s}, the card's own copy")
    return found


def without_owner(text: str, report: HealthReport) -> str:
    """The same without what names one single card: a report that is kept concerns the model."""
    for name in filter(None, (report.card.gpu_id, report.card.serial)):
        text = text.replace(name, re.sub(r"[0-9A-Za-z]", "0", name))
    return text


def file_name(report: HealthReport) -> str:
    """The model and the day, as in geforce-rtx-3090-2026-03-01."""
    model = re.sub(r"[^a-z0-9]+", "-", report.card.name.lower()).strip("-")
    return f"{model}-{report.started_at:%Y-%m-%d}"
