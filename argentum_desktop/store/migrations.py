"""The tables, as numbered steps. A step that has shipped is never changed; a new one is added after it."""

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
    """
    -- A card's passport, one chain each. `day` is set for an entry of kind `day` alone: a day is written once.
    -- A rowid table, for a report is larger than a quarter of a page.
    CREATE TABLE passport_entries (
        gpu_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        day TEXT CHECK ((kind = 'day') = (day IS NOT NULL)),
        body TEXT NOT NULL,
        previous_sha256 TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        public_key TEXT NOT NULL,
        signature TEXT NOT NULL,
        UNIQUE (gpu_id, number),
        UNIQUE (gpu_id, day)
    ) STRICT;
    CREATE INDEX passport_reports ON passport_entries (gpu_id, number) WHERE kind = 'check';

    CREATE TRIGGER passport_entries_stay BEFORE UPDATE ON passport_entries
        BEGIN SELECT RAISE(ABORT, 'a passport only grows'); END;
    CREATE TRIGGER passport_entries_keep BEFORE DELETE ON passport_entries
        BEGIN SELECT RAISE(ABORT, 'a passport only grows'); END;
    CREATE TRIGGER passport_entries_follow BEFORE INSERT ON passport_entries
        WHEN NEW.number != 1 + COALESCE((SELECT MAX(number) FROM passport_entries WHERE gpu_id = NEW.gpu_id), 0)
            OR NEW.previous_sha256 != COALESCE(
                (SELECT sha256 FROM passport_entries WHERE gpu_id = NEW.gpu_id ORDER BY number DESC LIMIT 1),
                '0000000000000000000000000000000000000000000000000000000000000000')
        BEGIN SELECT RAISE(ABORT, 'a passport has one chain'); END;
    """,
    """
    -- How quickly jobs made room for their owner: the last hundred freezes, the last hundred ends.
    CREATE TABLE handbacks (
        handback_id INTEGER PRIMARY KEY,
        lease_id TEXT NOT NULL,
        rule TEXT NOT NULL,
        signal_at TEXT NOT NULL,
        frozen_ms INTEGER,
        freed_ms INTEGER CHECK ((freed_ms IS NULL) != (frozen_ms IS NULL)),
        freed_within_ms INTEGER NOT NULL
    ) STRICT;
    """,
    """
    -- What was emitted for a job's energy, and how its price came about; not known for what was posted before.
    ALTER TABLE transactions ADD COLUMN carbon_mg INTEGER;
    ALTER TABLE transactions ADD COLUMN energy_words TEXT NOT NULL DEFAULT '';
    """,
    """
    -- The decision with its offer and what was seen, as `store/decisions.py` packs it; before, `body` had the decision.
    ALTER TABLE decisions ADD COLUMN packed BLOB;
    CREATE INDEX decisions_by_lease ON decisions (lease_id);
    """,
)

# What a chunk holds, `store/chunks.py` says; what a key is made of, `store/readings.py`. Rowid tables, for these keep a
# blob of up to a page with its key, where tables WITHOUT ROWID put all beyond a quarter of a page elsewhere.
TELEMETRY = (
    """
    CREATE TABLE names (
        kind TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (kind, number), UNIQUE (kind, name)
    ) STRICT;
    CREATE TABLE seconds (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE minutes (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE hours (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    CREATE TABLE days (key INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT;
    -- Hours with readings that are in no summary yet.
    CREATE TABLE due (key INTEGER PRIMARY KEY) STRICT;
    CREATE TABLE events (
        at_us INTEGER NOT NULL, card INTEGER NOT NULL, kind TEXT NOT NULL, place INTEGER NOT NULL,
        number INTEGER NOT NULL, UNIQUE (at_us, card, kind, place)
    ) STRICT;
    """,
)
