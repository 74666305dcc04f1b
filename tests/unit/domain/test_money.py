"""Money: whole micro-units, rounded in one place, half to even."""

from __future__ import annotations

import ast
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argentum_desktop.domain import money, posting, receipt
from argentum_desktop.domain.money import LARGEST_MICROS, Money, energy_cost, price_for, total

MICROS = st.integers(-(10**12), 10**12)
EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)


def rounded(numerator: int, denominator: int) -> int:
    """The oracle: the decimal module, with digits to spare."""
    return int(EXACT.quantize(EXACT.divide(Decimal(numerator), Decimal(denominator)), Decimal(1)))


@given(MICROS, st.integers(0, 10**6), st.integers(1, 10**6))
def test_a_fraction_is_rounded_half_to_even(micros: int, numerator: int, denominator: int) -> None:
    assert Money(micros, "EUR").scaled(numerator, denominator).micros == rounded(micros * numerator, denominator)


@given(st.integers(-(10**9), 10**9))
def test_exact_halves_go_to_the_even_neighbour(units: int) -> None:
    half = Money(2 * units + 1, "EUR").scaled(1, 2).micros
    assert half % 2 == 0
    assert abs(2 * half - (2 * units + 1)) == 1


@pytest.mark.parametrize(
    ("micros", "half"), [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2), (-7, -4), (2, 1), (-2, -1)]
)
def test_halves_by_hand(micros: int, half: int) -> None:
    assert Money(micros, "EUR").scaled(1, 2).micros == half


@pytest.mark.parametrize("denominator", [0, -1])
def test_a_fraction_needs_a_positive_denominator(denominator: int) -> None:
    with pytest.raises(ValueError, match="denominator"):
        Money(1, "EUR").scaled(1, denominator)


@given(st.integers(0, 10**9), st.integers(0, 10**8))
def test_seconds_cost_their_share_of_an_hour(micros: int, seconds: int) -> None:
    assert price_for(Money(micros, "EUR"), seconds).micros == rounded(micros * seconds, 3600)


@given(st.integers(0, 10**8), st.integers(0, 10**13))
def test_energy_costs_its_share_of_a_kilowatt_hour(micros: int, energy_mj: int) -> None:
    assert energy_cost(Money(micros, "EUR"), energy_mj).micros == rounded(micros * energy_mj, 3_600_000_000)


def test_300_watts_for_an_hour_cost_three_tenths_of_a_kilowatt_hour() -> None:
    millijoules = 300_000 * 3600
    assert energy_cost(Money.parse("0.30", "EUR"), millijoules) == Money.parse("0.09", "EUR")


@given(st.integers(0, 10**15))
def test_what_is_shown_can_be_read_again(micros: int) -> None:
    amount = Money(micros, "CHF")
    text, currency = str(amount).split()
    assert Money.parse(text, currency) == amount
    assert Money.parse(f"{Decimal(micros).scaleb(-6):f}", "CHF") == amount


@pytest.mark.parametrize(
    ("micros", "text"),
    [(240_000, "0.24 EUR"), (300, "0.0003 EUR"), (-1, "-0.000001 EUR"), (0, "0.00 EUR"), (12_000_000, "12.00 EUR")],
)
def test_two_decimals_or_as_many_as_there_are(micros: int, text: str) -> None:
    assert str(Money(micros, "EUR")) == text


@pytest.mark.parametrize("text", ["0.05", "00.0500000000", "5", "0.000001", "999999999999"])
def test_amounts_that_people_write(text: str) -> None:
    assert Money.parse(text, "EUR").micros == int(Decimal(text) * 10**6)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "0.05 ", "abc", "nan", "NaN", "sNaN", "inf", "-inf", "Infinity", "-0.05", "-1", "+1", "1e3", "1E-2",
        "1e999999999", "0,05", "1_000", "0.0000001", "0.00000100000000000000000000001", ".5", "5.", "٣", "0.05EUR",
        "0x1", "1/2", "9" * 5000, "1." + "0" * 5000, "1\n",
    ],
)  # fmt: skip
def test_everything_else_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"amount of money|finer than a millionth") as refused:
        Money.parse(text, "EUR")
    assert len(str(refused.value)) < 120


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_refused_by_value_error(text: str) -> None:
    try:
        amount = Money.parse(text, "EUR")
    except ValueError:
        return
    assert amount.micros == Decimal(text) * 10**6


@pytest.mark.parametrize("currency", ["", "eur", "EURO", "EU", "E1R", "EU-", "€€€", "ＥＵＲ", "EU\n"])
def test_a_currency_is_three_capital_letters(currency: str) -> None:
    with pytest.raises(ValueError, match="three capital letters"):
        Money(1, currency)


def test_no_amount_is_larger_than_a_database_holds() -> None:
    assert Money(LARGEST_MICROS, "EUR") - Money(1, "EUR") == Money(LARGEST_MICROS - 1, "EUR")
    for micros in (LARGEST_MICROS + 1, -LARGEST_MICROS - 1):
        with pytest.raises(ValueError, match="64 bits"):
            Money(micros, "EUR")


def test_currencies_never_mix() -> None:
    euros, francs = Money(1, "EUR"), Money(1, "CHF")
    for mixed in (lambda: euros + francs, lambda: euros - francs, lambda: euros < francs, lambda: euros >= francs):
        with pytest.raises(ValueError, match="without a rate"):
            mixed()
    assert euros != francs


@given(st.lists(MICROS, max_size=20))
def test_a_sum_is_exact(amounts: list[int]) -> None:
    assert total((Money(micros, "EUR") for micros in amounts), "EUR") == Money(sum(amounts), "EUR")


def test_no_float_comes_near_money() -> None:
    """The modules in which money is counted neither write a float nor divide into one."""
    root = Path(money.__file__).parents[1]
    modules = [Path(module.__file__ or "") for module in (money, posting, receipt)]
    modules += [root / "ledger" / "settlement.py", root / "ledger" / "earnings.py", root / "store" / "ledger.py"]
    modules.append(root / "policy" / "floors.py")
    for path in modules:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{path}:{node.lineno}"
            assert not (isinstance(node, ast.Name) and node.id == "float"), f"{path}:{node.lineno}"
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
                assert ast.unparse(node.left).startswith("Decimal("), f"{path}:{node.lineno}"
