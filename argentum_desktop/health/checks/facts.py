"""What is worth knowing about the card and is no fault of its own."""

from __future__ import annotations

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.health import CheckResult, CheckVerdict, Stage
from argentum_desktop.domain.reading import PROCESSES
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import all_readings, has_not, is_geforce, values

DRIVER = Subject("facts.driver", "Driver", "driver", "NVIDIA: R580 is the last line for Maxwell, Pascal and Volta")
FIRMWARE = Subject("facts.firmware", "Firmware", "driver", "told and not judged")
ECC = Subject("facts.ecc", "Error correction", "driver", "NVIDIA's cards for servers count their memory's errors")
ALONE = Subject("facts.alone", "Nobody else on the card", "driver", "the driver's list of processes")

# Turing, the first generation that newer drivers serve, has compute capability 7.5.
_FIRST_SERVED = (7, 5)
_LAST_LINE = 580
BUSY_PERCENT = 20
# By their names in NVIDIA's driver: all of them can correct their memory's errors, and on all of them it can be off.
_SERVER_NAMES = ("tesla ", "a10", "a30", "a40", "a100", "l4", "l40", "h100", "h200")


def driver(evidence: Evidence) -> CheckResult:
    gpu = evidence.gpu
    version = gpu.driver_version
    if version is None:
        return DRIVER.not_run("The driver does not tell its version.")
    words = f"{gpu.driver or 'The driver'} {version}."
    if gpu.vendor is Vendor.NVIDIA and _is_left_behind(gpu.compute_capability) and _line(version) <= _LAST_LINE:
        remedy = "Stay with this line of drivers: newer ones do not see the card."
        return DRIVER.tells(f"{words} It is of the last line that serves a card of this age.", version, remedy)
    return DRIVER.tells(words, version)


def firmware(evidence: Evidence) -> CheckResult:
    version = evidence.gpu.vbios_version
    if version is None:
        return FIRMWARE.not_run("The driver does not tell the version of its firmware.")
    return FIRMWARE.tells(f"Its firmware is {version}; whether it was changed cannot be told.", version)


def error_correction(evidence: Evidence) -> CheckResult:
    """A card that could count its memory's errors and does not is better asked to."""
    readings, gpu = all_readings(evidence), evidence.gpu
    name = gpu.name.lower().removeprefix("nvidia ")
    counts = [reading for reading in readings if reading.ecc_uncorrected_volatile is not None]
    if is_geforce(evidence) or gpu.vendor is not Vendor.NVIDIA or not name.startswith(_SERVER_NAMES):
        return ECC.not_applicable("Only cards for servers and workstations correct their memory's errors.")
    if counts:
        return ECC.passes("Its memory corrects and counts its errors.")
    if not readings or not has_not(readings, "ecc_uncorrected_volatile"):
        return ECC.not_run("The driver did not tell whether its memory corrects errors.")
    remedy = "Switch it on with: sudo nvidia-smi -e 1, then restart the computer."
    return ECC.tells("Its memory could correct its errors; it seems that this is switched off.", None, remedy)


def alone(evidence: Evidence) -> CheckResult:
    """Another program on the card takes from its speed."""
    engine = evidence.stress.engine if evidence.stress else None
    if engine is None or not evidence.under_load:
        return ALONE.without_load(evidence)
    busy = values(evidence.during(Stage.BASELINE), "utilization_percent")
    if busy and sum(busy) >= BUSY_PERCENT * len(busy):
        percent = sum(busy) // len(busy)
        words = f"Before the load began the card was busy at {percent} % with something else: its speed is understated."
        return ALONE.says(CheckVerdict.WARN, words, percent, "Close what uses the card, and check again.")
    if all(PROCESSES in reading.absent for reading in evidence.under_load):
        return ALONE.not_run("The driver does not list the programs on the card.")
    others = {
        process.pid
        for reading in evidence.under_load
        for process in reading.processes
        if process.is_compute and process.pid != engine.pid
    }
    if others:
        # Told only: on Windows every program that draws counts as one that computes.
        return ALONE.tells("Other programs used the card during the check.", len(others))
    return ALONE.passes("No other program computed on the card.", 0)


def _is_left_behind(compute_capability: str | None) -> bool:
    major, _, minor = (compute_capability or "").partition(".")
    return major.isdecimal() and minor.isdecimal() and (5, 0) <= (int(major), int(minor)) < _FIRST_SERVED


def _line(version: str) -> int:
    first = version.partition(".")[0]
    return int(first) if first.isdecimal() else _LAST_LINE + 1
