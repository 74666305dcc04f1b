"""Every check of a card, each a pure function of the evidence."""

from argentum_desktop.health.checks.judging import ALL as ALL
from argentum_desktop.health.checks.judging import WEIGHTS as WEIGHTS
from argentum_desktop.health.checks.judging import judge as judge
