"""Every choice the owner has, declared once: type, default, range, unit, title, help.

The file, its validation, its comments and one day the settings page are all made from these declarations. A section
is a frozen dataclass; the loops get a whole `Settings` value and never look anything up by name.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from decimal import Decimal
from typing import Any

from argentum_desktop.domain.money import Money
from argentum_desktop.domain.window import WeeklyWindow

_KEY = "setting"


@dataclass(frozen=True)
class Declaration:
    """What is known of one setting besides its type and default."""

    title: str
    help: str
    unit: str = ""
    low: Decimal | None = None
    high: Decimal | None = None
    choices: tuple[str, ...] = ()


def _setting(
    default: Any,
    title: str,
    help: str,  # noqa: A002 - the field's own word, as everywhere in this field
    *,
    unit: str = "",
    low: str | None = None,
    high: str | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    bounds = (Decimal(low) if low is not None else None, Decimal(high) if high is not None else None)
    return field(default=default, metadata={_KEY: Declaration(title, help, unit, *bounds, choices)})


def declaration(setting: Field[Any]) -> Declaration:
    """The declaration behind a section's field."""
    found: Declaration = setting.metadata[_KEY]
    return found


@dataclass(frozen=True)
class Availability:
    """When the cards may work."""

    windows: tuple[WeeklyWindow, ...] = _setting(
        (WeeklyWindow.parse("daily 00:00-24:00"),),
        "Windows",
        'When jobs may run, in your own time, for example ["mon-fri 22:00-07:00", "sat,sun 00:00-24:00"]; empty: never',
    )
    timezone: str = _setting(
        "", "Time zone", "The zone of the windows, for example Europe/Paris; empty: the computer's own"
    )
    on_battery: bool = _setting(False, "On battery", "Whether jobs may run while the computer is on battery")


@dataclass(frozen=True)
class Prices:
    """For how much."""

    currency: str = _setting("EUR", "Currency", "ISO 4217 code of all amounts in this file")
    floor_per_gpu_hour: Decimal = _setting(
        Decimal("0.05"),
        "Floor",
        "The least that must be left per card and hour after the market's fee and the electricity",
        unit="currency/h",
        low="0",
        high="1000",
    )
    electricity_per_kwh: Decimal = _setting(
        Decimal("0.30"), "Electricity", "What a kilowatt-hour costs you", unit="currency/kWh", low="0", high="10"
    )
    never_at_a_loss: bool = _setting(
        True, "Never at a loss", "Refuse every job that would not pay for its own electricity, whatever the floor says"
    )
    assumed_power_w: int = _setting(
        300,
        "Assumed power",
        "Counted for a card that does not report its power limit",
        unit="W",
        low="1",
        high="2000",
    )

    def money(self, amount: Decimal) -> Money:
        return Money.parse(f"{amount:f}", self.currency)

    @property
    def floor(self) -> Money:
        return self.money(self.floor_per_gpu_hour)

    @property
    def electricity(self) -> Money:
        return self.money(self.electricity_per_kwh)


@dataclass(frozen=True)
class Jobs:
    """What one job may use of this computer, and how it is ended."""

    engine: str = _setting("auto", "Container engine", "auto, podman, docker, or the address of its socket (unix:///…)")
    memory_share_percent: int = _setting(
        50, "Memory", "The largest share of the computer's memory one job may use", unit="%", low="1", high="90"
    )
    cpu_share_percent: int = _setting(
        50, "Processor", "The largest share of the processor one job may use", unit="%", low="1", high="100"
    )
    disk_gib: int = _setting(
        20,
        "Disk",
        "The most one job may write; twice this must be free before a job is taken",
        unit="GiB",
        low="1",
        high="10000",
    )
    wall_hours: int = _setting(
        12, "Longest job", "Jobs that may take longer are refused", unit="h", low="1", high="720"
    )
    stop_grace_s: int = _setting(
        20, "Notice", "How long a job may save its work when it is ended early", unit="s", low="0", high="600"
    )
    frozen_minutes: int = _setting(
        15, "Longest freeze", "A job frozen by a pause for longer is given back", unit="min", low="0", high="1440"
    )


@dataclass(frozen=True)
class Cards:
    """The cards themselves."""

    temperature_limit_c: int = _setting(
        87,
        "Temperature limit",
        "A job on a card that reaches this is ended and none is taken",
        unit="°C",
        low="40",
        high="110",
    )
    require_check: bool = _setting(
        False, "Only checked cards", "Whether a card works only once a health check has graded it"
    )
    excluded: tuple[str, ...] = _setting((), "Not offered", "Ids of cards that never work for a market")
    included: tuple[str, ...] = _setting(
        (), "Offered all the same", "Ids of cards that are not offered by themselves, such as integrated graphics"
    )
    simulated: int = _setting(
        0, "Simulated cards", "How many pretended cards to show, for demonstrations", low="0", high="16"
    )
    scenario: str = _setting(
        "", "Scenario", "A file that says what pretended cards there are and what befalls them; empty: none"
    )


@dataclass(frozen=True)
class MarketChoice:
    """Where the work comes from."""

    url: str = _setting(
        "", "Market", "The market's address (https://…); empty: the market of this computer itself, for trying it out"
    )
    name: str = _setting("", "Name", "How this computer is called at the market; empty: its host name")


@dataclass(frozen=True)
class Metrics:
    """Figures for other programs."""

    port: int = _setting(
        0,
        "Port",
        "Where this computer's own programs can fetch the readings in Prometheus' format (9400 is usual); 0: nowhere",
        low="0",
        high="65535",
    )


@dataclass(frozen=True)
class Window:
    """The tray and the window."""

    theme: str = _setting("system", "Theme", "How it looks", choices=("system", "light", "dark"))


@dataclass(frozen=True)
class Settings:
    """All choices, as one value that never changes under a reader's hands."""

    availability: Availability = field(default_factory=Availability)
    prices: Prices = field(default_factory=Prices)
    jobs: Jobs = field(default_factory=Jobs)
    cards: Cards = field(default_factory=Cards)
    market: MarketChoice = field(default_factory=MarketChoice)
    metrics: Metrics = field(default_factory=Metrics)
    window: Window = field(default_factory=Window)


def sections() -> dict[str, type[Any]]:
    """The name of each section with its class, in the order of the file."""
    return {section.name: section.default_factory for section in fields(Settings)}  # type: ignore[misc]
