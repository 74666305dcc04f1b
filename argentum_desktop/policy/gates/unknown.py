"""What a rule says of a signal that cannot be read: it counts as the owner chose."""

from __future__ import annotations

from functools import lru_cache

from argentum_desktop.domain.activity import SIGNALS
from argentum_desktop.domain.decision import Change, ChangeKind, Verdict
from argentum_desktop.policy.circumstances import Circumstances

CAREFUL, IGNORE = "careful", "ignore"


def unknown_signal(at: Circumstances, rule: str, signal: str) -> Verdict:
    """The verdict on one of `domain.activity`'s signals that is None."""
    why = at.activity.unknown.get(signal, "") if at.activity is not None else ""
    return unknown(at, rule, SIGNALS[signal], why)


def unknown(at: Circumstances, rule: str, words: str, why: str = "") -> Verdict:
    """The same for what is no signal of the owner's activity.

    Args:
        words: what is not known, as in "whether a presentation is being given".
        why: why not, one sentence.
    """
    return _unknown(rule, words, why, at.settings.presence.unknown_signals == CAREFUL)


@lru_cache(maxsize=128)
def _unknown(rule: str, words: str, why: str, is_careful: bool) -> Verdict:
    if not is_careful:
        return Verdict(rule, True, f"it cannot be told {words}; you chose to ignore that")
    remedy = f'Set presence.unknown_signals to "{IGNORE}".'
    change = Change(ChangeKind.SETTING, remedy, "presence.unknown_signals", value=IGNORE)
    reason = f"It cannot be told {words}, and you chose to be careful. {why}".rstrip()
    return Verdict(rule, False, reason, remedy, change)
