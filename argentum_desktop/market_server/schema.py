"""The tables of the SQLite store, as numbered migrations: one is never changed once it has been released."""

from __future__ import annotations

_FIRST = """
CREATE TABLE accounts (
    account_id TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    name TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE keys (
    key_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    public_key TEXT NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;
CREATE TABLE cards (
    account_id TEXT NOT NULL REFERENCES accounts,
    gpu_id TEXT NOT NULL,
    name TEXT NOT NULL,
    vendor TEXT NOT NULL,
    memory_mib INTEGER NOT NULL,
    is_simulated INTEGER NOT NULL,
    PRIMARY KEY (account_id, gpu_id)
) STRICT;
CREATE TABLE artifacts (
    account_id TEXT NOT NULL REFERENCES accounts,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    PRIMARY KEY (account_id, sha256)
) STRICT;
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY,
    job_id TEXT NOT NULL UNIQUE,
    buyer_id TEXT NOT NULL REFERENCES accounts,
    spec BLOB NOT NULL,
    phase TEXT NOT NULL,
    price_micros INTEGER NOT NULL,
    gpus INTEGER NOT NULL,
    vram_mib INTEGER NOT NULL,
    cpu_millis INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    disk_mib INTEGER NOT NULL,
    wall_s INTEGER NOT NULL,
    submitted_us INTEGER NOT NULL,
    idempotency_key TEXT,
    request_sha256 TEXT NOT NULL,
    fence INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    refusals INTEGER NOT NULL,
    billed_s INTEGER NOT NULL,
    cost_micros INTEGER NOT NULL,
    cancel_requested INTEGER NOT NULL,
    started_us INTEGER,
    ended_us INTEGER,
    exit_code INTEGER,
    reason TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jobs_by_idempotency_key ON jobs (buyer_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX jobs_queued ON jobs (price_micros DESC, number) WHERE phase = 'queued';
CREATE INDEX jobs_by_buyer ON jobs (buyer_id, number);
CREATE TABLE leases (
    lease_id TEXT PRIMARY KEY,
    job_id TEXT NOT NULL REFERENCES jobs (job_id),
    provider_id TEXT NOT NULL REFERENCES accounts,
    gpu_id TEXT NOT NULL,
    claim_key TEXT NOT NULL,
    fence INTEGER NOT NULL,
    state TEXT NOT NULL,
    price_micros INTEGER NOT NULL,
    fee_ppm INTEGER NOT NULL,
    granted_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    accepted_us INTEGER,
    started_us INTEGER,
    ended_us INTEGER,
    seq INTEGER NOT NULL,
    billable_s INTEGER NOT NULL,
    energy_mj INTEGER NOT NULL,
    progress_percent INTEGER,
    outcome TEXT,
    exit_code INTEGER,
    reason TEXT NOT NULL,
    gross_micros INTEGER NOT NULL,
    fee_micros INTEGER NOT NULL,
    UNIQUE (job_id, fence),
    UNIQUE (provider_id, claim_key)
) STRICT;
CREATE UNIQUE INDEX leases_one_live_per_job ON leases (job_id) WHERE state IN ('offered', 'accepted', 'running');
CREATE UNIQUE INDEX leases_one_live_per_card ON leases (provider_id, gpu_id)
    WHERE state IN ('offered', 'accepted', 'running');
CREATE INDEX leases_live_by_expiry ON leases (expires_us) WHERE state IN ('offered', 'accepted', 'running');
CREATE TABLE outputs (
    lease_id TEXT NOT NULL REFERENCES leases,
    name TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    PRIMARY KEY (lease_id, name)
) STRICT;
CREATE TABLE refusals (
    job_id TEXT NOT NULL REFERENCES jobs (job_id),
    provider_id TEXT NOT NULL REFERENCES accounts,
    until_us INTEGER NOT NULL,
    PRIMARY KEY (job_id, provider_id)
) STRICT;
CREATE INDEX refusals_by_end ON refusals (until_us);
CREATE TABLE transactions (
    transaction_id TEXT PRIMARY KEY,
    memo TEXT NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;
CREATE TABLE postings (
    transaction_id TEXT NOT NULL REFERENCES transactions,
    account TEXT NOT NULL,
    amount_micros INTEGER NOT NULL,
    PRIMARY KEY (transaction_id, account)
) STRICT, WITHOUT ROWID;
CREATE TABLE balances (
    account TEXT PRIMARY KEY,
    amount_micros INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TRIGGER postings_stay BEFORE UPDATE ON postings BEGIN SELECT RAISE(ABORT, 'postings are never changed'); END;
CREATE TRIGGER postings_last BEFORE DELETE ON postings BEGIN SELECT RAISE(ABORT, 'postings are never removed'); END;
"""

# What a card's certificate says of its health.
_HEALTH = """
ALTER TABLE cards ADD COLUMN certificate TEXT;
ALTER TABLE cards ADD COLUMN grade TEXT;
ALTER TABLE cards ADD COLUMN confidence_percent INTEGER;
ALTER TABLE cards ADD COLUMN check_mode TEXT;
ALTER TABLE cards ADD COLUMN checked_us INTEGER;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _HEALTH)
