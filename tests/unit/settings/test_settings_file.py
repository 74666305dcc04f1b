"""The settings file: what is written is read again, and what cannot be used is said in one sentence."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_disk import SmallDisk, small_disk

from argentum_desktop.domain.availability import DatedException, DatedHours, OwnersWindow
from argentum_desktop.domain.tariff import TariffLine
from argentum_desktop.domain.window import WeeklyWindow
from argentum_desktop.errors import DiskFullError, SettingsError
from argentum_desktop.settings.declaration import declaration
from argentum_desktop.settings.file import load, parse, render
from argentum_desktop.settings.schema import Availability, Prices, Settings, sections

__all__ = ["small_disk"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


def refused(file: Path, content: bytes | str) -> str:
    """The sentence with which this content is refused; the file stays as it is, and nothing is left beside it."""
    data = content.encode() if isinstance(content, str) else content
    file.write_bytes(data)
    with pytest.raises(SettingsError) as error:
        load(file)
    assert file.read_bytes() == data
    assert [path.name for path in file.parent.iterdir()] == [file.name]
    assert error.value.remedy.startswith("Correct it, or move the file away")
    assert error.value.exit_code == 78
    assert "\n" not in error.value.message
    assert len(error.value.message) < 400
    return error.value.message.removeprefix(f"In the settings file {file}, ")


def test_the_first_start_writes_the_defaults_with_every_choice_explained(file: Path) -> None:
    assert load(file) == Settings()
    text = file.read_text(encoding="utf-8")
    assert load(file) == Settings()
    assert file.read_text(encoding="utf-8") == text
    document = tomllib.loads(text)
    assert list(document) == list(sections())
    for name, section in sections().items():
        assert list(document[name]) == [setting.name for setting in fields(section)]
        for setting in fields(section):
            declared = declaration(setting)
            assert f"# {declared.title}: {declared.help}" in text
    assert [path.name for path in file.parent.iterdir()] == ["settings.toml"]


@pytest.mark.parametrize(
    ("section", "name"),
    [(name, setting.name) for name, section in sections().items() for setting in fields(section)],
)
def test_every_setting_is_declared_with_title_help_and_range(section: str, name: str) -> None:
    kind = sections()[section]
    setting = next(setting for setting in fields(kind) if setting.name == name)
    declared = declaration(setting)
    assert declared.title
    assert declared.help
    assert "\n" not in declared.title + declared.help
    default = getattr(kind(), name)
    if isinstance(default, int | Decimal) and not isinstance(default, bool):
        assert declared.low is not None
        assert declared.high is not None
        assert declared.low <= default <= declared.high
    if declared.choices:
        assert default in declared.choices


def test_a_file_that_names_one_choice_leaves_the_others_at_their_defaults(file: Path) -> None:
    file.write_text("[prices]\nelectricity_per_kwh = '0.22'\n")
    assert load(file) == replace(Settings(), prices=Prices(electricity_per_kwh=Decimal("0.22")))
    file.write_text("# nothing chosen\n")
    assert load(file) == Settings()


@pytest.mark.parametrize(
    ("written", "read"),
    [('"0.07"', "0.07"), ("0.07", "0.07"), ("7e-2", "0.07"), ("1", "1"), ('"1"', "1"), ("0.000001", "0.000001"),
     ("0.1000000000", "0.1"), ("0.30000000000000000", "0.3")],
)  # fmt: skip
def test_an_amount_may_stand_in_quotes_or_not_and_is_never_a_float(file: Path, written: str, read: str) -> None:
    file.write_text(f"[prices]\nfloor_per_gpu_hour = {written}\n")
    floor = load(file).prices.floor_per_gpu_hour
    assert isinstance(floor, Decimal)
    assert floor == Decimal(read)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf[jobs]\r\ndisk_gib = 5\r\n")
    assert load(file).jobs.disk_gib == 5


weekly = st.builds(
    lambda days, start, length: WeeklyWindow(days, start, (start + length) % 1440 or 1440),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.integers(0, 1439),
    st.integers(1, 1439),
)
amounts = st.decimals(0, 10, places=6)
card_ids = st.lists(st.sampled_from(["GPU-1", "GPU-2", 'a "b"']), max_size=2).map(tuple)
windows = st.builds(
    OwnersWindow,
    weekly,
    card_ids,
    st.none() | amounts,
    st.none() | st.integers(1, 2000),
    st.none() | st.integers(40, 110),
)
dated = st.builds(
    lambda first, days, hours, is_open: DatedHours(first, first + timedelta(days), *hours, is_open),
    st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    st.integers(0, 400),
    st.sampled_from([(0, 1440), (0, 60), (1200, 120), (1439, 1440)]),
    st.booleans(),
)
exceptions = st.builds(DatedException, dated, card_ids)
plain_text = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), max_size=20).filter(str.isprintable)


def any_section(kind: type[Any], **special: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Any value of a section that its own declarations allow."""
    choices: dict[str, st.SearchStrategy[Any]] = {}
    for setting in fields(kind):
        declared, default = declaration(setting), setting.default
        if setting.name in special:
            choices[setting.name] = special[setting.name]
        elif isinstance(default, bool):
            choices[setting.name] = st.booleans()
        elif isinstance(default, int):
            choices[setting.name] = st.integers(int(declared.low or 0), int(declared.high or 0))
        elif isinstance(default, Decimal):
            choices[setting.name] = st.decimals(declared.low, declared.high, places=6)
        elif declared.choices:
            choices[setting.name] = st.sampled_from(declared.choices)
        else:
            choices[setting.name] = plain_text if default == "" else st.lists(plain_text, max_size=3).map(tuple)
    return st.builds(kind, **choices)


KINDS = sections()
ANY_SETTINGS = st.builds(
    Settings,
    availability=any_section(
        KINDS["availability"],
        windows=st.lists(windows, max_size=4).map(tuple),
        exceptions=st.lists(exceptions, max_size=4).map(tuple),
        timezone=st.sampled_from(["", "Europe/Paris", "UTC", "America/Argentina/Buenos_Aires"]),
    ),
    presence=any_section(KINDS["presence"]),
    prices=any_section(
        KINDS["prices"],
        currency=st.sampled_from(["EUR", "CHF", "JPY"]),
        tariff=st.lists(st.builds(TariffLine, weekly, amounts), max_size=1).map(tuple),
        solar_hours=st.lists(weekly, max_size=3).map(tuple),
    ),
    energy=any_section(KINDS["energy"], country=st.sampled_from(["", "FR", "DE"])),
    jobs=any_section(KINDS["jobs"], engine=st.sampled_from(["auto", "podman", "docker", "unix:///run/x.sock"])),
    cards=any_section(KINDS["cards"]),
    market=any_section(
        KINDS["market"], url=st.sampled_from(["", "https://market.example", "http://127.0.0.1:80/x"]), name=plain_text
    ),
    metrics=any_section(KINDS["metrics"]),
    window=any_section(KINDS["window"]),
)


@hypothesis.settings(deadline=None)
@given(ANY_SETTINGS)
def test_whatever_is_chosen_is_read_as_it_was_written(settings: Settings) -> None:
    document = tomllib.loads(render(settings), parse_float=Decimal)
    assert parse(document) == settings


BAD_VALUES = [
    ("[availability]\nwindows = 'daily 00:00-24:00'", "availability.windows must be a list of texts in quotes"),
    ("[availability]\nwindows = [1]", "availability.windows must be a list of texts in quotes"),
    ("[availability]\nwindows = ['a\\u0007b']", "availability.windows"),
    ('[availability]\nwindows = ["a\\u0007b"]', "availability.windows must be a list of texts in quotes"),
    ("[availability]\nwindows = ['mon 25:00-07:00']", 'availability.windows cannot be used: "mon 25:00-07:00" has a'),
    ("[availability]\nwindows = ['sometimes']", 'availability.windows cannot be used: "sometimes" is not a window'),
    ("[availability]\ntimezone = 'Europe/Pari'", "is no known time zone; did you mean Europe/Paris?"),
    ("[availability]\ntimezone = '../../etc/passwd'", "availability.timezone"),
    ("[availability]\ntimezone = 3", "availability.timezone must be text in quotes"),
    ("[availability]\non_battery = 'yes'", "availability.on_battery must be true or false"),
    ("[availability]\non_battery = 1", "availability.on_battery must be true or false"),
    ("[prices]\ncurrency = 'euro'", "prices.currency must be three capital letters"),
    ("[prices]\ncurrency = 'E1R'", "prices.currency must be three capital letters"),
    ("[prices]\nfloor_per_gpu_hour = '0,05'", 'prices.floor_per_gpu_hour must be a number, not "0,05"'),
    ("[prices]\nfloor_per_gpu_hour = 'nan'", "prices.floor_per_gpu_hour must be a number"),
    ("[prices]\nfloor_per_gpu_hour = nan", "prices.floor_per_gpu_hour must be a number"),
    ("[prices]\nfloor_per_gpu_hour = inf", "prices.floor_per_gpu_hour must be a number"),
    ("[prices]\nfloor_per_gpu_hour = '1_0'", "prices.floor_per_gpu_hour must be a number"),
    ("[prices]\nfloor_per_gpu_hour = '٣'", "prices.floor_per_gpu_hour must be a number"),
    ("[prices]\nfloor_per_gpu_hour = true", "prices.floor_per_gpu_hour must be a number, not true"),
    ("[prices]\nfloor_per_gpu_hour = 1979-05-27", "prices.floor_per_gpu_hour must be a number, not 1979-05-27"),
    ("[prices]\nfloor_per_gpu_hour = -0.01", "prices.floor_per_gpu_hour must lie between 0 and 1000 currency/h"),
    ("[prices]\nfloor_per_gpu_hour = 1000.1", "prices.floor_per_gpu_hour must lie between 0 and 1000 currency/h"),
    ("[prices]\nfloor_per_gpu_hour = 1e99", "prices.floor_per_gpu_hour must lie between"),
    ("[prices]\nfloor_per_gpu_hour = 1e999999", "prices.floor_per_gpu_hour must be a number"),
    ("[prices]\nfloor_per_gpu_hour = '0.0000001'", "prices.floor_per_gpu_hour: '0.0000001' is finer than a millionth"),
    ("[prices]\nelectricity_per_kwh = 0.0000001", "prices.electricity_per_kwh: '0.0000001' is finer than a millionth"),
    ("[prices]\nassumed_power_w = '300'", 'prices.assumed_power_w must be a whole number, not "300"'),
    ("[prices]\nassumed_power_w = 300.5", "prices.assumed_power_w must be a whole number, not 300.5"),
    ("[prices]\nassumed_power_w = nan", "prices.assumed_power_w must be a whole number, not NaN"),
    ("[prices]\nassumed_power_w = 0", "prices.assumed_power_w must lie between 1 and 2000 W, not 0"),
    (f"[prices]\nassumed_power_w = {'9' * 100}", "prices.assumed_power_w must lie between 1 and 2000 W"),
    ("[prices]\nassumed_power_w = [1]", "prices.assumed_power_w must be a whole number"),
    ("[jobs]\nengine = 'lxc'", 'jobs.engine "lxc" must be auto, podman, docker'),
    ("[jobs]\nmemory_share_percent = 91", "jobs.memory_share_percent must lie between 1 and 90 %, not 91"),
    ("[jobs]\ndisc_gib = 1", "jobs.disc_gib is not known; did you mean disk_gib?"),
    ("[cards]\nexcluded = 'GPU-1'", "cards.excluded must be a list of texts in quotes"),
    ("[cards]\nsimulated = 17", "cards.simulated must lie between 0 and 16, not 17"),
    ("[market]\nurl = 'market.example'", 'market.url "market.example" is no web address'),
    ("[market]\nurl = 'ftp://market.example'", "market.url"),
    ("[market]\nurl = 'https://'", "market.url"),
    ("[market]\nurl = 'https://owner:secret@market.example'", "market.url"),
    ("[market]\nurl = 'https://market.example:99999'", "market.url"),
    ("[market]\nurl = 'https://[market'", "market.url"),
    (f"[market]\nname = '{'x' * 121}'", "market.name must be at most 120 characters long"),
    ('[market]\nname = "a\\u001b[2Jb"', "market.name must be plain text without control characters"),
    ("[window]\ntheme = 'blue'", 'window.theme must be one of system, light, dark, not "blue"'),
    (f"[window]\ntheme = '{'x' * 9999}'", "window.theme must be one of"),
    ("[pricess]\ncurrency = 'EUR'", "the section [pricess] is not known; did you mean prices?"),
    ("floor = 1", "the section [floor] is not known"),
    ("prices = 1", "[prices] must be a section"),
    ("[[prices]]\ncurrency = 'EUR'", "[prices] must be a section"),
    ('"a\\nb" = 1', "the section"),
    ("'{}' = 1", "the section [{}] is not known"),
]


@pytest.mark.parametrize(("content", "words"), BAD_VALUES)
def test_a_value_that_cannot_be_used_is_named(file: Path, content: str, words: str) -> None:
    assert words in refused(file, content)


def test_every_setting_has_a_value_that_is_refused_by_its_name(file: Path) -> None:
    for name, section in sections().items():
        for setting in fields(section):
            assert refused(file, f"[{name}]\n{setting.name} = {{}}\n").startswith(f"{name}.{setting.name} ")


@pytest.mark.parametrize(
    "content",
    [
        "[prices",
        "prices]",
        "[prices]\ncurrency = EUR",
        "[prices]\ncurrency = 'EUR'\ncurrency = 'CHF'",
        "[prices]\n[prices]",
        "[jobs]\ndisk_gib = ",
        "= 1",
        "a = " + "[" * 5000,
        f"a = {'9' * 5000}",
        "\0",
        "a = 1\0",
    ],
)
def test_what_is_no_toml_is_said_with_its_place(file: Path, content: str) -> None:
    assert refused(file, content).startswith(f"The settings file {file} is not valid TOML: ")


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_not_taken_for_the_defaults(file: Path, content: bytes) -> None:
    assert refused(file, content) == f"The settings file {file} is empty."


@pytest.mark.parametrize("content", [b"\xff\xfe[\0p\0", b"[prices]\ncurrency = '\xe9'\n", b"\x00\x80\xff" * 20])
def test_what_is_no_text_is_refused(file: Path, content: bytes) -> None:
    assert refused(file, content).startswith(f"The settings file {file} is not text in UTF-8 (byte ")


def test_a_folder_in_its_place_is_refused(file: Path) -> None:
    file.mkdir()
    with pytest.raises(SettingsError, match=r"cannot be read \(Is a directory\)"):
        load(file)
    assert file.is_dir()


AS_NOBODY = """
import os, sys
from pathlib import Path
from argentum_desktop.errors import SettingsError
from argentum_desktop.settings.file import load
if os.geteuid() == 0:
    os.seteuid(65534)  # root may read everything
try:
    load(Path(sys.argv[1]))
except SettingsError as error:
    print(error.message)
"""


def test_a_file_that_may_not_be_read_is_refused(file: Path) -> None:
    file.write_text("[jobs]\n")
    file.chmod(0)
    result = subprocess.run([sys.executable, "-c", AS_NOBODY, str(file)], capture_output=True, text=True)
    # Where the folder is closed to others too, that reads the same.
    assert result.stdout == f"The settings file {file} cannot be read (Permission denied).\n", result.stderr
    assert file.stat().st_size == len("[jobs]\n")


def test_a_folder_that_is_not_there_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be written") as refused_with:
        load(tmp_path / "gone" / "settings.toml")
    assert refused_with.value.remedy


def test_a_full_disk_leaves_no_half_file(small_disk: SmallDisk) -> None:
    file = small_disk.folder / "settings.toml"
    small_disk.fill()
    with pytest.raises(DiskFullError, match="The disk is full") as error:
        load(file)
    assert error.value.remedy
    assert sorted(path.name for path in small_disk.folder.iterdir()) == ["ballast"]
    small_disk.make_room()
    assert load(file) == Settings()


def test_a_file_given_by_the_command_line_is_refused_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[prices]\nfloor = 1\n")
    result = subprocess.run(
        [sys.executable, "-m", "argentum_desktop", "--home", str(tmp_path), "gpus"], capture_output=True, text=True
    )
    assert result.returncode == 78
    assert "prices.floor is not known" in result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_never_is_a_choice(file: Path) -> None:
    file.write_text("[availability]\nwindows = []\n")
    assert load(file).availability == Availability(windows=())
