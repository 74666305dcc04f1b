"""The tables, as numbered steps. A step that has shipped is never changed; a new one is added after it."""

from argentum_desktop.domain.reading import METRIC_NAMES

_VALUES = ", ".join(f"{metric} INTEGER" for metric in METRIC_NAMES)
_SUMMARIES = ", ".join(
    f"{metric}_n INTEGER, {metric}_low REAL, {metric}_mean REAL, {metric}_high REAL" for metric in METRIC_NAMES
)

AGENT = (
    """
    CREATE TABLE program_state (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

    CREATE TABLE leases (
        lease_id TEXT PRIMARY KEY,
        market TEXT NOT NULL,
        state TEXT NOT NULL,
        accepted_at TEXT NOT NULL,
        ended_at TEXT,
        body TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX leases_open ON leases (accepted_at) WHERE state != 'closed';
    CREATE INDEX leases_recent ON leases (accepted_at DESC);

    CREATE TABLE decisions (
        decision_id INTEGER PRIMARY KEY,
        decided_at TEXT NOT NULL,
        lease_id TEXT NOT NULL,
        accepted INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE INDEX decisions_recent ON decisions (decided_at DESC);

    CREATE TABLE transactions (
        transaction_id TEXT PRIMARY KEY,
        posted_at TEXT NOT NULL,
        lease_id TEXT NOT NULL,
        description TEXT NOT NULL,
        energy_mj INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX transactions_by_time ON transactions (posted_at);

    -- The key's columns come first: SQLite 3.40's quick_check mistakes a zero after them in another order for NULL.
    CREATE TABLE postings (
        transaction_id TEXT NOT NULL REFERENCES transactions,
        account TEXT NOT NULL,
        currency TEXT NOT NULL,
        micros INTEGER NOT NULL,
        PRIMARY KEY (transaction_id, account, currency)
    ) STRICT, WITHOUT ROWID;

    -- The ledger only grows: a mistake is corrected by a new transaction.
    CREATE TRIGGER transactions_stay BEFORE UPDATE ON transactions
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
    CREATE TRIGGER transactions_keep BEFORE DELETE ON transactions
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
    CREATE TRIGGER postings_stay BEFORE UPDATE ON postings
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
    CREATE TRIGGER postings_keep BEFORE DELETE ON postings
        BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END;
    """,
)

# Seconds are kept time first, so that a batch of all cards goes to the end of the file; the longer spans are read by
# card, so they lie by card.
TELEMETRY = (
    f"""
    CREATE TABLE cards (card INTEGER PRIMARY KEY, gpu_id TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE seconds (
        at INTEGER NOT NULL, card INTEGER NOT NULL, {_VALUES}, PRIMARY KEY (at, card)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE minutes (
        card INTEGER NOT NULL, at INTEGER NOT NULL, {_SUMMARIES}, PRIMARY KEY (card, at)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE hours (
        card INTEGER NOT NULL, at INTEGER NOT NULL, {_SUMMARIES}, PRIMARY KEY (card, at)
    ) STRICT, WITHOUT ROWID;
    """,
)
