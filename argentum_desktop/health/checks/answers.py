"""Does the card answer all along, and was it this card that was tested?"""

from __future__ import annotations

from argentum_desktop.domain.health import CheckResult, CheckVerdict, Comparison, Threshold
from argentum_desktop.domain.stress import StressEnd
from argentum_desktop.health.checks.subject import Subject
from argentum_desktop.health.evidence import Evidence
from argentum_desktop.health.figures import is_software, losses, was_on_this_card

ANSWERS = Subject(
    "answers.always",
    "Answers all along",
    "driver",
    "a card that its driver loses (NVIDIA's Xid 79) must not be relied on",
    "losses",
    Threshold(Comparison.AT_MOST, 0),
)
LOAD = Subject(
    "answers.load", "The load was on this card", "driver", "the driver's list of processes and the bus address"
)
_CABLES = "Check its power cables and its seat in the slot, restart the computer and check again."


def answers(evidence: Evidence) -> CheckResult:
    lost = losses(evidence)
    stress = evidence.stress
    if lost:
        return ANSWERS.says(CheckVerdict.FAIL, "The card stopped answering its driver.", lost, _CABLES)
    if stress is not None and stress.end is StressEnd.LOST:
        return ANSWERS.says(CheckVerdict.FAIL, "The card was lost under load.", 1, _CABLES)
    if stress is not None and stress.end is StressEnd.HUNG:
        words = "The card, or its driver, did not come back from its work."
        return ANSWERS.says(CheckVerdict.FAIL, words, 1, "Restart the computer, take back any overclock, check again.")
    if not evidence.readings:
        return ANSWERS.not_run("The driver said nothing about the card during the check.")
    return ANSWERS.passes("It answered all along.", 0)


def load_on_this_card(evidence: Evidence) -> CheckResult:
    if evidence.stress is None or evidence.stress.engine is None:
        return LOAD.without_load(evidence)
    if is_software(evidence):
        words = "A program computed in the place of the card: what was measured is the processor."
        return LOAD.says(CheckVerdict.WARN, words, remedy="Install the card's own graphics driver with Vulkan.")
    if not was_on_this_card(evidence):
        words = "It could not be shown that the load was on this card, so nothing is concluded from it."
        return LOAD.says(CheckVerdict.WARN, words, remedy="Update the graphics driver, then check again.")
    if evidence.is_confirmed:
        return LOAD.passes("The driver saw the load on this card.")
    if evidence.stress.engine.pci_address is not None and evidence.gpu.pci_address is not None:
        return LOAD.passes("The load was at this card's address.")
    return LOAD.not_run("Neither an address nor the driver's list of processes speaks for this card.")
