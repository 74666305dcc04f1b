"""Every choice the owner has, declared once: type, default, range, unit, title, help.

The file, its validation, its comments and one day the settings page are all made from these declarations. A section
is a frozen dataclass; the loops get a whole `Settings` value and never look anything up by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from decimal import Decimal
from typing import Any

from argentum_desktop.domain.availability import DatedException, DatedHours, OwnersWindow
from argentum_desktop.domain.money import Money
from argentum_desktop.domain.tariff import TariffLine
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.settings.declaration import Declaration, setting

_HOTTEST_C = Decimal(110)
_COOLEST_C = Decimal(40)
_CARDS_OF_ENTRY = Declaration("Cards", "Ids of the cards it is for; without it, all")
_WINDOW_TABLE = {
    "when": Declaration("When", "The hours of the week", parse=WeeklyWindow.parse),
    "cards": _CARDS_OF_ENTRY,
    "floor": Declaration("Floor", "The floor in it", "currency/h", Decimal(0), Decimal(1000)),
    "power_limit_w": Declaration("Power limit", "The most a card may draw in it", "W", Decimal(1), Decimal(2000)),
    "temperature_limit_c": Declaration("Temperature limit", "The limit in it", "°C", _COOLEST_C, _HOTTEST_C),
}
_EXCEPTION_TABLE = {
    "when": Declaration("When", "The dates, the hours, and whether open or closed", parse=DatedHours.parse),
    "cards": _CARDS_OF_ENTRY,
}


@dataclass(frozen=True)
class Availability:
    """When the cards may work."""

    windows: tuple[OwnersWindow, ...] = setting(
        (OwnersWindow.parse("daily 00:00-24:00"),),
        "Windows",
        'When jobs may run, in your own time, for example ["mon-fri 22:00-07:00", "sat,sun 00:00-24:00"]; empty: '
        'never. What holds in one window only goes into a table: { when = "daily 22:00-07:00", cards = ["ID"], '
        'floor = "0.30", power_limit_w = 200, temperature_limit_c = 75 }',
        parse=OwnersWindow.parse,
        table=_WINDOW_TABLE,
    )
    exceptions: tuple[DatedException, ...] = setting(
        (),
        "Exceptions",
        'Dates that differ from the week, for example ["2026-12-24 closed", "2026-12-27..2026-12-29 closed", '
        '"2026-12-31 20:00-24:00 open"]; for some cards only: { when = "2026-12-24 closed", cards = ["ID"] }',
        parse=DatedException.parse,
        table=_EXCEPTION_TABLE,
    )
    timezone: str = setting(
        "", "Time zone", "The zone of the windows, for example Europe/Paris; empty: the computer's own"
    )
    on_battery: bool = setting(False, "On battery", "Whether jobs may run while the computer is on battery")
    finish_within_minutes: int = setting(
        15,
        "Finish after the end",
        "A job that ends within this time after the end of a window may finish; 0: none may",
        unit="min",
        low="0",
        high="1440",
    )


@dataclass(frozen=True)
class Presence:
    """The machine comes first: what of your own use keeps jobs away."""

    idle_minutes: int = setting(
        0,
        "Idle time",
        "How long keyboard and mouse must have rested before jobs may run; 0: also while you work",
        unit="min",
        low="0",
        high="1440",
    )
    full_screen: bool = setting(
        True, "Full screen", "Whether a game or any program that fills the screen keeps jobs away"
    )
    presentation: bool = setting(True, "Presentation", "Whether presentation mode keeps jobs away")
    programs: tuple[str, ...] = setting(
        (), "Programs", 'Names of programs that keep jobs away while they run, for example ["blender", "obs"]'
    )
    other_gpu_percent: int = setting(
        20,
        "Your use of the card",
        "Jobs keep away while your own programs use more of a card than this; 0: never mind",
        unit="%",
        low="0",
        high="100",
    )
    cpu_busy_percent: int = setting(
        0,
        "Busy processor",
        "Jobs keep away while your own programs use more of the processor than this; 0: never mind",
        unit="%",
        low="0",
        high="100",
    )
    memory_free_mib: int = setting(
        1024,
        "Free memory",
        "Jobs keep away while less memory than this is free; 0: never mind",
        unit="MiB",
        low="0",
        high="1048576",
    )
    disk_busy_percent: int = setting(
        0,
        "Busy disk",
        "Jobs keep away while the disk is busier than this; 0: never mind",
        unit="%",
        low="0",
        high="100",
    )
    metered_network: bool = setting(
        False, "Metered network", "Whether jobs may be taken on a network that is paid for by volume"
    )
    remote_session: bool = setting(
        True, "Remote session", "Whether jobs may run while somebody uses this computer from afar"
    )
    unknown_signals: str = setting(
        "careful",
        "What cannot be known",
        "What counts when one of these cannot be read: careful, as if you were there; ignore, as if you were not",
        choices=("careful", "ignore"),
    )
    settle_s: int = setting(
        30, "Settle", "How long a reason must be gone before jobs run again", unit="s", low="0", high="3600"
    )
    grace_s: int = setting(
        60,
        "Grace",
        "Within how long a job that was frozen for one of these goes on, or is stopped with notice and the card free",
        unit="s",
        low="0",
        high="86400",
    )


def _country(text: str) -> str:
    if text and not (len(text) == 2 and text.isascii() and text.isalpha()):
        raise ValueError(f'"{text[:20]}" is not a country\'s code; write two letters (ISO 3166), for example FR')
    return text.upper()


@dataclass(frozen=True)
class Prices:
    """For how much."""

    currency: str = setting("EUR", "Currency", "ISO 4217 code of all amounts in this file")
    floor_per_gpu_hour: Decimal = setting(
        Decimal("0.05"),
        "Floor",
        "The least that must be left per card and hour after the market's fee and the electricity",
        unit="currency/h",
        low="0",
        high="1000",
    )
    electricity_per_kwh: Decimal = setting(
        Decimal("0.30"), "Electricity", "What a kilowatt-hour costs you", unit="currency/kWh", low="0", high="10"
    )
    never_at_a_loss: bool = setting(
        True, "Never at a loss", "Refuse every job that would not pay for its own electricity, whatever the floor says"
    )
    assumed_power_w: int = setting(
        300,
        "Assumed power",
        "Counted for a card that does not report its power limit",
        unit="W",
        low="1",
        high="2000",
    )
    tariff: tuple[TariffLine, ...] = setting(
        (),
        "Tariff",
        'Hours in which a kilowatt-hour costs something else, for example ["mon-fri 22:00-06:00 0.18"]; what no line '
        "covers costs electricity_per_kwh",
        parse=TariffLine.parse,
    )
    tariff_file: str = setting("", "Tariff file", "A CSV file of day-ahead prices; empty: none")
    tariff_surcharge_per_kwh: Decimal = setting(
        Decimal(0),
        "Surcharge",
        "What the grid and your supplier add to each price of that file",
        unit="currency/kWh",
        low="0",
        high="10",
    )
    tariff_tax_percent: Decimal = setting(
        Decimal(0), "Tax", "The tax on each price of that file and its surcharge", unit="%", low="0", high="100"
    )
    solar_hours: tuple[WeeklyWindow, ...] = setting(
        (),
        "Solar hours",
        'When this computer runs on your own solar power, for example ["daily 11:00-16:00"]',
        parse=WeeklyWindow.parse,
    )
    feed_in_per_kwh: Decimal = setting(
        Decimal(0),
        "Feed-in",
        "What a kilowatt-hour of your solar power would have earned, had you fed it in",
        unit="currency/kWh",
        low="0",
        high="10",
    )
    wear_per_gpu_hour: Decimal = setting(
        Decimal(0), "Wear", "What an hour of work costs a card in wear", unit="currency/h", low="0", high="1000"
    )
    only_on_solar: bool = setting(False, "Only on solar power", "Whether jobs may run in the solar hours alone")

    def money(self, amount: Decimal) -> Money:
        return Money.parse(f"{amount:f}", self.currency)

    @property
    def floor(self) -> Money:
        return self.money(self.floor_per_gpu_hour)

    @property
    def electricity(self) -> Money:
        return self.money(self.electricity_per_kwh)


@dataclass(frozen=True)
class Energy:
    """Where the electricity comes from."""

    country: str = setting(
        "",
        "Country",
        "ISO 3166 code of the country whose grid you are on, for example FR; empty: not said",
        parse=_country,
    )
    intensity_file: str = setting(
        "", "Carbon intensity", "A CSV file with your grid's own figures; empty: the yearly figure of the country"
    )
    cleaner_than_g_per_kwh: int = setting(
        0,
        "Only clean power",
        "Jobs run only while the grid's electricity is cleaner than this; 0: never mind",
        unit="gCO2e/kWh",
        low="0",
        high="2000",
    )


@dataclass(frozen=True)
class Jobs:
    """What one job may use of this computer, and how it is ended."""

    engine: str = setting("auto", "Container engine", "auto, podman, docker, or the address of its socket (unix:///…)")
    memory_share_percent: int = setting(
        50, "Memory", "The largest share of the computer's memory one job may use", unit="%", low="1", high="90"
    )
    cpu_share_percent: int = setting(
        50, "Processor", "The largest share of the processor one job may use", unit="%", low="1", high="100"
    )
    disk_gib: int = setting(
        20,
        "Disk",
        "The most one job may write; twice this must be free before a job is taken",
        unit="GiB",
        low="1",
        high="10000",
    )
    wall_hours: int = setting(12, "Longest job", "Jobs that may take longer are refused", unit="h", low="1", high="720")
    stop_grace_s: int = setting(
        20, "Notice", "How long a job may save its work when it is ended early", unit="s", low="0", high="600"
    )
    frozen_minutes: int = setting(
        15, "Longest freeze", "A job frozen by a pause for longer is given back", unit="min", low="0", high="1440"
    )


@dataclass(frozen=True)
class Cards:
    """The cards themselves."""

    temperature_limit_c: int = setting(
        87,
        "Temperature limit",
        "A job on a card that reaches this is ended and none is taken",
        unit="°C",
        low="40",
        high="110",
    )
    lower_power_percent: int = setting(
        0,
        "Lower the power first",
        "How far a hot card's power limit may be lowered before its job is frozen; 0: never",
        unit="%",
        low="0",
        high="50",
    )
    require_check: bool = setting(
        False, "Only checked cards", "Whether a card works only once a health check has graded it"
    )
    excluded: tuple[str, ...] = setting((), "Not offered", "Ids of cards that never work for a market")
    included: tuple[str, ...] = setting(
        (), "Offered all the same", "Ids of cards that are not offered by themselves, such as integrated graphics"
    )
    simulated: int = setting(
        0, "Simulated cards", "How many pretended cards to show, for demonstrations", low="0", high="16"
    )
    scenario: str = setting(
        "", "Scenario", "A file that says what pretended cards there are and what befalls them; empty: none"
    )


@dataclass(frozen=True)
class MarketChoice:
    """Where the work comes from."""

    url: str = setting(
        "", "Market", "The market's address (https://…); empty: the market of this computer itself, for trying it out"
    )
    name: str = setting("", "Name", "How this computer is called at the market; empty: its host name")


@dataclass(frozen=True)
class Metrics:
    """Figures for other programs."""

    port: int = setting(
        0,
        "Port",
        "Where this computer's own programs can fetch the readings in Prometheus' format (9400 is usual); 0: nowhere",
        low="0",
        high="65535",
    )


@dataclass(frozen=True)
class Window:
    """The tray and the window."""

    theme: str = setting("system", "Theme", "How it looks", choices=("system", "light", "dark"))


@dataclass(frozen=True)
class Settings:
    """All choices, as one value that never changes under a reader's hands."""

    availability: Availability = field(default_factory=Availability)
    presence: Presence = field(default_factory=Presence)
    prices: Prices = field(default_factory=Prices)
    energy: Energy = field(default_factory=Energy)
    jobs: Jobs = field(default_factory=Jobs)
    cards: Cards = field(default_factory=Cards)
    market: MarketChoice = field(default_factory=MarketChoice)
    metrics: Metrics = field(default_factory=Metrics)
    window: Window = field(default_factory=Window)


def sections() -> dict[str, type[Any]]:
    """The name of each section with its class, in the order of the file."""
    return {section.name: section.default_factory for section in fields(Settings)}  # type: ignore[misc]
