"""How a receipt becomes postings. Pure."""

from __future__ import annotations

from datetime import datetime

from argentum_desktop.domain.energy import EnergyBill
from argentum_desktop.domain.lease import Lease
from argentum_desktop.domain.posting import Posting, Transaction
from argentum_desktop.domain.receipt import Receipt

INCOME = "income:jobs"
FEE = "expense:market-fee"
ELECTRICITY = "expense:electricity"
ELECTRICITY_OWED = "payable:electricity"


def receivable(market: str) -> str:
    """What one market owes us."""
    return f"receivable:{market}"


def settle(lease: Lease, receipt: Receipt, bill: EnergyBill, posted_at: datetime) -> Transaction:
    """The one transaction of a lease. Its id is the lease's, so that it can be posted only once.

    Income stands as a negative figure, as double entry has it: what comes in on one account left another.
    """
    postings = (
        Posting(receivable(lease.market), receipt.net),
        Posting(FEE, receipt.fee),
        Posting(INCOME, -receipt.gross),
        Posting(ELECTRICITY, bill.electricity),
        Posting(ELECTRICITY_OWED, -bill.electricity),
    )
    return Transaction(
        transaction_id=f"settle:{lease.lease_id}",
        posted_at=posted_at,
        lease_id=lease.lease_id,
        description=lease.job.title,
        postings=postings,
        energy_mj=bill.energy_mj,
        carbon_mg=bill.carbon_mg,
        energy_words=bill.words,
    )
