"""What the card counts about its own memory: corrected and lost bits, repairs, and repairs that failed."""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.health.checks.subject import NOT_GEFORCE, Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import all_readings, grown, is_geforce, most, values

MOST_PAGES = 63
MANY_DOUBLE_BIT_PAGES = 15
MOST_ROWS = 512

_NONE = Threshold(Comparison.AT_MOST, 0)
_REBOOT = "Restart the computer, then check again."
_REPLACE = "Its maker replaces such a card under warranty."

UNCORRECTED = Subject(
    "ecc.uncorrected",
    "Memory errors that could not be corrected",
    "driver",
    "NVIDIA's Xid 48, 94 and 95: data was lost",
    "errors",
    _NONE,
)
LIFETIME = Subject(
    "ecc.lifetime", "Uncorrected memory errors in its life", "driver", "the card's own count", "errors", _NONE
)
REMAP_FAILED = Subject(
    "ecc.remap_failed",
    "Repair of memory rows",
    "driver",
    "NVIDIA's RMA policy: set after 8 rows in one bank, a row remapped twice, or 512 rows",
    "",
    _NONE,
)
PENDING = Subject(
    "ecc.repair_pending", "Repairs that wait for a restart", "driver", "NVIDIA DCGM fails pending repairs", "", _NONE
)
ROWS = Subject(
    "ecc.rows_remapped",
    "Rows of memory replaced after lost data",
    "driver",
    "NVIDIA DCGM: 512 rows; one already is a trace",
    "rows",
    _NONE,
)
PAGES = Subject(
    "ecc.pages_retired",
    "Pages of memory retired",
    "driver",
    "NVIDIA DCGM: at most 63 pages, and 15 of them for lost data",
    "pages",
    _NONE,
)
SRAM = Subject(
    "ecc.sram", "Errors inside the chip", "driver", "NVIDIA: more than 4 parity or 2 double errors in a bank"
)


def ecc_uncorrected(evidence: Evidence) -> CheckResult:
    """In this run. A card that counts nothing and says zero all the same (a GeForce) is no evidence."""
    readings = all_readings(evidence)
    life = values(readings, "ecc_uncorrected")
    counts = [grown(readings, "ecc_uncorrected_volatile"), max(0, life[-1] - life[0]) if life else None]
    new = max((count for count in counts if count is not None), default=None)
    if new:
        words = f"Its memory lost data {new} times during the check."
        return UNCORRECTED.says(CheckVerdict.FAIL, words, new, _REPLACE)
    if new is None:
        return UNCORRECTED.missing(readings, "ecc_uncorrected_volatile")
    if is_geforce(evidence):
        return UNCORRECTED.not_applicable(NOT_GEFORCE)
    return UNCORRECTED.passes("Its memory lost nothing during the check, by its own count.", 0)


def ecc_lifetime(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    count = most(readings, "ecc_uncorrected")
    if count:
        words = f"Its memory lost data {count} times in its life, by its own count."
        return LIFETIME.says(CheckVerdict.WARN, words, count, "Watch whether the number grows.")
    if count is None:
        return LIFETIME.missing(readings, "ecc_uncorrected")
    if is_geforce(evidence):
        return LIFETIME.not_applicable(NOT_GEFORCE)
    return LIFETIME.passes("Its memory never lost anything, by its own count.", 0)


def remap_failed(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    flag = most(readings, "remapped_rows_failed")
    if is_geforce(evidence):
        return REMAP_FAILED.not_applicable(NOT_GEFORCE)
    if flag is None:
        return REMAP_FAILED.missing(readings, "remapped_rows_failed")
    if flag:
        words = "The card has no spare memory rows left to repair itself with."
        return REMAP_FAILED.says(CheckVerdict.FAIL, words, flag, _REPLACE)
    return REMAP_FAILED.passes("No repair of its memory has failed.", 0)


def repair_pending(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    names = ["retired_pages_pending"] if is_geforce(evidence) else ["remapped_rows_pending", "retired_pages_pending"]
    flags = [flag for flag in (most(readings, name) for name in names) if flag is not None]
    if any(flags):
        words = "The card waits for a restart to repair its memory."
        return PENDING.says(CheckVerdict.WARN, words, 1, _REBOOT)
    if is_geforce(evidence):
        return PENDING.not_applicable(NOT_GEFORCE)
    if not flags:
        return PENDING.missing(readings, names[0])
    return PENDING.passes("No repair waits for a restart.", 0)


def rows_remapped(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    rows = most(readings, "remapped_rows_uncorrectable")
    if is_geforce(evidence):
        return ROWS.not_applicable(NOT_GEFORCE)
    if rows is None:
        return ROWS.missing(readings, "remapped_rows_uncorrectable")
    if rows >= MOST_ROWS:
        words = f"{rows} rows of its memory were replaced after they lost data: too many."
        return ROWS.says(CheckVerdict.FAIL, words, rows, _REPLACE, Threshold(Comparison.BELOW, MOST_ROWS))
    if rows:
        words = f"{rows} rows of its memory were replaced after they lost data."
        return ROWS.says(CheckVerdict.WARN, words, rows, "It still works; watch whether the number grows.")
    return ROWS.passes("No row of its memory had to be replaced.", 0)


def pages_retired(evidence: Evidence) -> CheckResult:
    readings = all_readings(evidence)
    single, double = most(readings, "retired_pages_sbe"), most(readings, "retired_pages_dbe")
    if single is None and double is None:
        return PAGES.missing(readings, "retired_pages_dbe")
    pages = (single or 0) + (double or 0)
    if pages >= MOST_PAGES:
        words = f"{pages} pages of its memory are retired: as many as a card can spare."
        return PAGES.says(CheckVerdict.FAIL, words, pages, _REPLACE, Threshold(Comparison.BELOW, MOST_PAGES))
    if (double or 0) > MANY_DOUBLE_BIT_PAGES:
        words = f"{double} pages of its memory are retired because they lost data. That is many."
        remedy = "If more than one comes in a week, have the card replaced."
        return PAGES.says(CheckVerdict.WARN, words, pages, remedy)
    if pages:
        return PAGES.says(
            CheckVerdict.WARN, f"{pages} pages of its memory are retired.", pages, "Watch whether the number grows."
        )
    if is_geforce(evidence):
        return PAGES.not_applicable(NOT_GEFORCE)
    return PAGES.passes("No page of its memory is retired.", 0)


def sram(evidence: Evidence) -> CheckResult:
    """The driver tells this flag to its administrator alone (root), whom this application never is."""
    if is_geforce(evidence) or evidence.gpu.driver != "nvidia":
        return SRAM.not_applicable("Only NVIDIA's cards for servers and workstations have this.")
    remedy = "To see it: sudo nvidia-smi -q -d ECC"
    return SRAM.not_run("The driver tells this only to the computer's administrator.", remedy=remedy)
