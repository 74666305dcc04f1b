"""Who takes part: accounts, the keys that speak for them and the cards they offer."""

from __future__ import annotations

from argentum_desktop.domain.gpu import Vendor
from argentum_desktop.domain.money import Money
from argentum_desktop.errors import DocumentError
from argentum_desktop.identity.keys import key_id_of
from argentum_desktop.market_server import ledger
from argentum_desktop.market_server.card_health import with_certificate
from argentum_desktop.market_server.config import MarketConfig
from argentum_desktop.market_server.problems import ProblemError, invalid
from argentum_desktop.market_server.records import AccountRecord, CardRecord, KeyRecord, new_id
from argentum_desktop.market_server.storage import Work
from argentum_desktop.marketplace.wire import Account, Declared, Enrolment, Inventory, ProblemType, Role

MAX_CARDS = 64
_LONGEST_NAME = 120


def enrol(work: Work, config: MarketConfig, enrolment: Enrolment, now_us: int) -> AccountRecord:
    """The account of a key, opened when it is new. Repeating it is no harm."""
    key_id = key_id_of(enrolment.public_key)
    known = work.key(key_id)
    if known is not None:
        account = required(work, known.account_id)
        if account.role is not enrolment.role:
            raise ProblemError(
                ProblemType.NOT_ELIGIBLE, f"This key belongs to a {account.role}; use another for a {enrolment.role}."
            )
        return account
    if not 1 <= len(enrolment.name) <= _LONGEST_NAME or not enrolment.name.isprintable():
        raise invalid(f"name must be 1 to {_LONGEST_NAME} printable characters")
    account = AccountRecord(new_id("acc", now_us), enrolment.role, enrolment.name, now_us)
    work.add_account(account, KeyRecord(key_id, account.account_id, enrolment.public_key, now_us))
    credit = config.credit_for_new_buyers
    if account.role is Role.BUYER and credit.micros > 0:
        work.post(ledger.credit(account.account_id, credit), now_us)
    return account


def required(work: Work, account_id: str) -> AccountRecord:
    """An account that must exist, because a row refers to it."""
    account = work.account(account_id)
    if account is None:
        raise LookupError(account_id)
    return account


def view(work: Work, config: MarketConfig, account: AccountRecord) -> Account:
    """The account with its money: what a buyer may spend and has held for jobs, what a provider has earned."""
    held = 0
    if account.role is Role.BUYER:
        available = work.balance(ledger.buyer_account(account.account_id))
        held = work.held_for(account.account_id)
    else:
        available = work.balance(ledger.provider_account(account.account_id))
    return Account(
        account_id=account.account_id,
        role=account.role,
        name=account.name,
        available=Money(available, config.currency),
        held=Money(held, config.currency),
    )


def declare(
    work: Work, config: MarketConfig, account: AccountRecord, inventory: Inventory, key_id: str, now_us: int
) -> Declared:
    """Remember a provider's cards, in place of those it had. A certificate that cannot be used keeps no card away.

    Args:
        key_id: of the key that signed the request, and must have sealed the certificates.
    """
    if len(inventory.cards) > MAX_CARDS:
        raise invalid(f"at most {MAX_CARDS} cards")
    if len({card.gpu_id for card in inventory.cards}) != len(inventory.cards):
        raise invalid("two cards have the same gpu_id")
    cards, notes = [], []
    for card in inventory.cards:
        if not 1 <= len(card.gpu_id) <= _LONGEST_NAME or len(card.name) > _LONGEST_NAME or card.memory_mib < 0:
            raise invalid("a card's gpu_id, name or memory_mib is out of range")
        is_simulated = card.is_simulated or card.vendor == Vendor.SIMULATED
        if is_simulated and not config.is_local:
            raise ProblemError(ProblemType.NOT_ELIGIBLE, "A simulated card can only be offered to a local market.")
        record = CardRecord(account.account_id, card.gpu_id, card.name, card.vendor[:40], card.memory_mib, is_simulated)
        try:
            cards.append(with_certificate(record, card.certificate, key_id, now_us))
        except DocumentError as error:
            cards.append(record)
            notes.append(f"The health certificate of {card.gpu_id} was left out: {error.message}")
    work.replace_cards(account.account_id, cards)
    return Declared(tuple(notes))
