"""Why Windows cannot use a card, in words. The codes are those of its Device Manager (cfg.h: CM_PROB_...)."""

from __future__ import annotations

from argentum_desktop.domain.gpu import GpuState

_INSTALL = "Install the driver that the card's maker offers for it, then restart the computer."
_RESTART = "Restart the computer."
_RESEAT = "Restart the computer; if it stays so, check the card's seat and its power cables."
_SWITCHED_OFF = "Switch it on in Windows' Device Manager, under Display adapters."

_WORDS: dict[int, tuple[GpuState, str, str]] = {
    1: (GpuState.NO_DRIVER, "Windows has not set the card up.", _INSTALL),
    3: (GpuState.NO_DRIVER, "The card's driver is damaged, or memory ran out.", _INSTALL),
    10: (GpuState.IGNORED, "The card does not start.", _RESEAT),
    12: (
        GpuState.IGNORED,
        "The computer has no address space left for the card.",
        'Switch on "Above 4G decoding" in the computer\'s firmware settings, or take another card out.',
    ),
    14: (GpuState.IGNORED, "The card works only after a restart.", _RESTART),
    18: (GpuState.NO_DRIVER, "The card's driver has to be installed again.", _INSTALL),
    19: (GpuState.IGNORED, "The card's entry in Windows' registry is damaged.", _INSTALL),
    21: (GpuState.IGNORED, "Windows is about to remove the card.", _RESTART),
    22: (GpuState.IGNORED, "The card is switched off in Windows.", _SWITCHED_OFF),
    24: (GpuState.IGNORED, "The card is not there, or does not work properly.", _RESEAT),
    28: (GpuState.NO_DRIVER, "Windows has no driver for the card.", _INSTALL),
    29: (
        GpuState.IGNORED,
        "The computer's firmware has switched the card off.",
        "Switch it on in the computer's firmware settings.",
    ),
    31: (GpuState.NO_DRIVER, "Windows cannot load a driver for the card.", _INSTALL),
    32: (GpuState.NO_DRIVER, "The card's driver is switched off in Windows.", _INSTALL),
    37: (GpuState.IGNORED, "The card's driver does not start: it may be too new or too old for the card.", _INSTALL),
    38: (GpuState.IGNORED, "An earlier copy of the card's driver is still in memory.", _RESTART),
    39: (GpuState.NO_DRIVER, "The card's driver is damaged or missing.", _INSTALL),
    40: (GpuState.NO_DRIVER, "The card's driver is not registered properly.", _INSTALL),
    41: (GpuState.IGNORED, "The driver is loaded and does not find the card.", _RESEAT),
    43: (
        GpuState.IGNORED,
        "Windows has stopped the card because it reported problems.",
        "Restart the computer; if it stays so, install the driver again, then check the card's power cables.",
    ),
    45: (GpuState.IGNORED, "The card is not connected.", _RESEAT),
    47: (GpuState.IGNORED, "The card is ready to be unplugged.", "Plug it in again, or restart the computer."),
    48: (
        GpuState.NO_DRIVER,
        "Windows blocks the card's driver because it is known to do harm.",
        "Install a newer driver from the card's maker.",
    ),
    52: (
        GpuState.NO_DRIVER,
        "Windows does not trust the signature of the card's driver.",
        "Install a driver from the card's maker that is signed.",
    ),
    54: (GpuState.IGNORED, "The card failed and Windows is resetting it.", _RESEAT),
}

# Windows' own drivers, which draw on any card and offer nothing of it to programs.
_BASIC_DRIVERS = frozenset({"basicdisplay", "basicrender", "vga", "vgasave"})


def words_for_device(problem: int, service: str, is_given_away: bool) -> tuple[GpuState, str, str]:
    """Why a card in Windows' list of devices is offered to no program, and what would help."""
    if is_given_away:
        return (
            GpuState.PASSED_THROUGH,
            "The card is given to virtual machines.",
            "Give it back to this Windows with Mount-VMHostAssignableDevice.",
        )
    if problem:
        other = (GpuState.IGNORED, "Windows cannot use the card.", _RESEAT)
        state, words, remedy = _WORDS.get(problem, other)
        return state, f"{words[:-1]} (code {problem}).", remedy
    if not service:
        return GpuState.NO_DRIVER, "Windows has no driver for the card.", _INSTALL
    if service.lower() in _BASIC_DRIVERS:
        return GpuState.NO_DRIVER, "Windows uses its basic display driver for the card.", _INSTALL
    return (
        GpuState.IGNORED,
        f"The driver {service} runs and does not offer the card to programs.",
        "If it is in a mode for computing only, its maker's tools can change that; else install the driver again.",
    )
