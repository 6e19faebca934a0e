"""The job table and everything the scheduler decides on."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Tests move time by replacing this function in their own database.
CLOCK = """
CREATE FUNCTION scheduler.clock() RETURNS timestamptz LANGUAGE sql STABLE
AS 'SELECT statement_timestamp()'
"""

YEARS = """
CREATE TABLE scheduler.years (
    tenant text NOT NULL,
    year smallint NOT NULL,
    provisioned_at timestamptz NOT NULL,
    locked_at timestamptz,
    locked_by text,
    lock_reason text,
    CONSTRAINT years_pkey PRIMARY KEY (tenant, year),
    CONSTRAINT a_locked_year_says_by_whom CHECK ((locked_at IS NULL) = (locked_by IS NULL))
)
"""

PIPELINES = """
CREATE TABLE scheduler.pipelines (
    pipeline_id bigint NOT NULL,
    tenant text NOT NULL,
    kind text NOT NULL,
    module smallint,
    data_entry_type smallint,
    year smallint,
    unit text,
    reference_kind text,
    status text NOT NULL,
    version bigint NOT NULL,
    live_jobs integer NOT NULL,
    failed_jobs integer NOT NULL,
    warned_jobs integer NOT NULL,
    root_job_id bigint NOT NULL,
    submitted_by text NOT NULL,
    repair_of bigint,
    retry_of bigint,
    cancelled_at timestamptz,
    cancelled_by text,
    cancel_reason text,
    created_at timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pipelines_pkey PRIMARY KEY (pipeline_id),
    CONSTRAINT status_is_known
        CHECK (status IN ('LIVE', 'SUCCESS', 'PARTIAL', 'FAILED', 'CANCELLED')),
    CONSTRAINT live_iff_something_is_live CHECK ((status = 'LIVE') = (live_jobs > 0)),
    CONSTRAINT finished_iff_not_live CHECK ((status = 'LIVE') = (finished_at IS NULL)),
    CONSTRAINT counters_are_not_negative
        CHECK (live_jobs >= 0 AND failed_jobs >= 0 AND warned_jobs >= 0)
) WITH (fillfactor = 70)
"""

JOBS = """
CREATE TABLE scheduler.jobs (
    job_id bigint NOT NULL,
    pipeline_id bigint NOT NULL,
    tenant text NOT NULL,
    job_type text NOT NULL,
    module smallint,
    data_entry_type smallint,
    year smallint,
    unit text,
    reference_kind text,
    payload jsonb,
    state text NOT NULL,
    result text,
    message text NOT NULL DEFAULT '',
    error_cause text NOT NULL DEFAULT '',
    stats jsonb,
    priority smallint NOT NULL,
    fair_stamp bigint NOT NULL,
    run_after timestamptz,
    attempts smallint NOT NULL DEFAULT 0,
    attempts_max smallint NOT NULL,
    releases smallint NOT NULL DEFAULT 0,
    lapses smallint NOT NULL DEFAULT 0,
    claim_token bigint,
    last_token bigint,
    worker_id uuid,
    finished_by_token bigint,
    coalesce_key text,
    exclusive_key text,
    key_number bigint,
    slot_key text,
    dark_token bigint,
    parent_job_id bigint,
    child_key text,
    superseded_by bigint,
    changed_version bigint NOT NULL,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    CONSTRAINT jobs_pkey PRIMARY KEY (job_id),
    CONSTRAINT a_job_belongs_to_a_pipeline
        FOREIGN KEY (pipeline_id) REFERENCES scheduler.pipelines (pipeline_id),
    CONSTRAINT state_is_known
        CHECK (state IN ('NOT_STARTED', 'QUEUED', 'RUNNING', 'FINISHED')),
    CONSTRAINT result_is_known
        CHECK (result IN ('SUCCESS', 'WARNING', 'ERROR', 'CANCELLED', 'SUPERSEDED')),
    CONSTRAINT claim_iff_running CHECK ((state = 'RUNNING') = (claim_token IS NOT NULL)),
    CONSTRAINT worker_iff_running CHECK ((state = 'RUNNING') = (worker_id IS NOT NULL)),
    CONSTRAINT result_iff_finished CHECK ((state = 'FINISHED') = (result IS NOT NULL)),
    CONSTRAINT finished_at_iff_finished CHECK ((state = 'FINISHED') = (finished_at IS NOT NULL)),
    CONSTRAINT an_error_has_a_cause
        CHECK (result IS DISTINCT FROM 'ERROR' OR error_cause <> ''),
    CONSTRAINT superseded_says_by_which
        CHECK ((result IS NOT DISTINCT FROM 'SUPERSEDED') = (superseded_by IS NOT NULL)),
    CONSTRAINT attempts_are_bounded CHECK (attempts BETWEEN 0 AND attempts_max),
    CONSTRAINT a_key_comes_with_its_number
        CHECK ((exclusive_key IS NULL) = (key_number IS NULL)),
    CONSTRAINT a_coalescing_job_has_no_payload
        CHECK (coalesce_key IS NULL OR payload IS NULL)
) WITH (fillfactor = 80)
"""

INDEXES = (
    """CREATE INDEX claimable_jobs_by_type ON scheduler.jobs
        (job_type, priority, fair_stamp, job_id) WHERE state = 'QUEUED'""",
    """CREATE UNIQUE INDEX one_waiting_job_per_coalesce_key ON scheduler.jobs (coalesce_key)
        WHERE state IN ('NOT_STARTED', 'QUEUED') AND coalesce_key IS NOT NULL""",
    """CREATE UNIQUE INDEX one_claimable_or_running_job_per_exclusive_key
        ON scheduler.jobs (exclusive_key)
        WHERE state IN ('QUEUED', 'RUNNING') AND exclusive_key IS NOT NULL""",
    """CREATE INDEX waiting_jobs_of_a_key_in_order ON scheduler.jobs (exclusive_key, key_number)
        WHERE state = 'NOT_STARTED' AND exclusive_key IS NOT NULL""",
    """CREATE INDEX jobs_that_wait_for_their_time ON scheduler.jobs (run_after)
        WHERE state = 'NOT_STARTED' AND run_after IS NOT NULL""",
    """CREATE INDEX jobs_of_a_pipeline_by_change
        ON scheduler.jobs (pipeline_id, changed_version)""",
    """CREATE INDEX live_jobs_of_a_pipeline ON scheduler.jobs (pipeline_id, job_type)
        WHERE state <> 'FINISHED'""",
    """CREATE INDEX jobs_of_a_slot_by_claim ON scheduler.jobs (slot_key, last_token)
        WHERE slot_key IS NOT NULL""",
    """CREATE INDEX jobs_of_a_tenant_by_number ON scheduler.jobs (tenant, job_id)""",
    """CREATE INDEX pipelines_of_a_tenant_by_number
        ON scheduler.pipelines (tenant, pipeline_id)""",
    """CREATE INDEX pipelines_that_a_job_feeds ON scheduler.job_links (job_id)""",
    """CREATE INDEX events_of_a_pipeline ON scheduler.job_events (pipeline_id, event_id)""",
    """CREATE INDEX events_of_a_job ON scheduler.job_events (job_id, event_id)
        WHERE job_id IS NOT NULL""",
    """CREATE INDEX claim_requests_by_age ON scheduler.claim_requests (created_at)""",
)

# Narrow and short-lived: beats touch this row and no index, so they stay on its page.
CLAIMS = """
CREATE TABLE scheduler.claims (
    claim_token bigint NOT NULL,
    job_id bigint NOT NULL,
    worker_id uuid NOT NULL,
    principal text NOT NULL,
    lease_until timestamptz NOT NULL,
    draining boolean NOT NULL DEFAULT false,
    progress_done bigint,
    progress_total bigint,
    progress_phase text,
    progress_message text,
    progress_at timestamptz,
    CONSTRAINT claims_pkey PRIMARY KEY (claim_token)
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)
"""

LINKS_AND_CHILDREN = (
    """
CREATE TABLE scheduler.job_links (
    pipeline_id bigint NOT NULL,
    job_id bigint NOT NULL,
    joined_version bigint NOT NULL,
    changed_version bigint NOT NULL,
    left_version bigint,
    CONSTRAINT job_links_pkey PRIMARY KEY (pipeline_id, job_id),
    CONSTRAINT a_link_has_a_pipeline
        FOREIGN KEY (pipeline_id) REFERENCES scheduler.pipelines (pipeline_id),
    CONSTRAINT a_link_has_a_job FOREIGN KEY (job_id) REFERENCES scheduler.jobs (job_id)
)
""",
    """
CREATE TABLE scheduler.staged_children (
    parent_job_id bigint NOT NULL,
    claim_token bigint NOT NULL,
    child_key text NOT NULL,
    job_type text NOT NULL,
    module smallint,
    data_entry_type smallint,
    year smallint,
    unit text,
    payload jsonb,
    CONSTRAINT staged_children_pkey PRIMARY KEY (parent_job_id, claim_token, child_key)
)
""",
    """
CREATE TABLE scheduler.wishes (
    pipeline_id bigint NOT NULL,
    job_type text NOT NULL,
    module smallint NOT NULL,
    year smallint NOT NULL,
    parent_job_id bigint NOT NULL,
    child_key text NOT NULL,
    CONSTRAINT wishes_pkey PRIMARY KEY (pipeline_id, job_type, module, year),
    CONSTRAINT a_wish_has_a_pipeline
        FOREIGN KEY (pipeline_id) REFERENCES scheduler.pipelines (pipeline_id)
)
""",
    """
CREATE TABLE scheduler.exclusive_keys (
    exclusive_key text NOT NULL,
    next_number bigint NOT NULL,
    first_job_id bigint,
    drain_token bigint,
    CONSTRAINT exclusive_keys_pkey PRIMARY KEY (exclusive_key)
) WITH (fillfactor = 70)
""",
    """
CREATE TABLE scheduler.job_events (
    event_id bigint GENERATED ALWAYS AS IDENTITY,
    tenant text NOT NULL,
    pipeline_id bigint NOT NULL,
    job_id bigint,
    claim_token bigint,
    event text NOT NULL,
    detail text NOT NULL DEFAULT '',
    at timestamptz NOT NULL,
    CONSTRAINT job_events_pkey PRIMARY KEY (event_id)
)
""",
)

FRESHNESS_AND_DARKNESS = (
    """
CREATE TABLE scheduler.type_freshness (
    tenant text NOT NULL,
    data_entry_type smallint NOT NULL,
    year smallint NOT NULL,
    changed_token bigint NOT NULL DEFAULT 0,
    changed_at timestamptz,
    recalc_claim bigint NOT NULL DEFAULT 0,
    recalc_end bigint NOT NULL DEFAULT 0,
    CONSTRAINT type_freshness_pkey PRIMARY KEY (tenant, data_entry_type, year)
)
""",
    """
CREATE TABLE scheduler.module_freshness (
    tenant text NOT NULL,
    module smallint NOT NULL,
    year smallint NOT NULL,
    agg_claim bigint NOT NULL,
    aggregated_at timestamptz NOT NULL,
    CONSTRAINT module_freshness_pkey PRIMARY KEY (tenant, module, year)
)
""",
    """
CREATE TABLE scheduler.dark_scopes (
    tenant text NOT NULL,
    ledger_scope text NOT NULL,
    close_through bigint NOT NULL,
    CONSTRAINT dark_scopes_pkey PRIMARY KEY (tenant, ledger_scope)
)
""",
)

REQUESTS_AND_WORKERS = (
    """
CREATE TABLE scheduler.submit_requests (
    tenant text NOT NULL,
    request_id uuid NOT NULL,
    body_digest bytea NOT NULL,
    pipeline_id bigint NOT NULL,
    job_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT submit_requests_pkey PRIMARY KEY (tenant, request_id)
)
""",
    """
CREATE TABLE scheduler.claim_requests (
    worker_id uuid NOT NULL,
    request_id uuid NOT NULL,
    job_ids bigint[] NOT NULL,
    claim_tokens bigint[] NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT claim_requests_pkey PRIMARY KEY (worker_id, request_id)
)
""",
    """
CREATE TABLE scheduler.workers (
    worker_id uuid NOT NULL,
    principal text NOT NULL,
    build_id text NOT NULL,
    host text NOT NULL,
    job_types text[] NOT NULL,
    draining boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT workers_pkey PRIMARY KEY (worker_id)
) WITH (fillfactor = 50)
""",
    """
CREATE TABLE scheduler.sweep_runs (
    sweep text NOT NULL,
    last_run_at timestamptz NOT NULL,
    CONSTRAINT sweep_runs_pkey PRIMARY KEY (sweep)
)
""",
)

# What people and watchers are shown of a job: its row, its claim's progress, its slot.
JOB_CARDS = """
CREATE VIEW scheduler.job_cards AS
SELECT j.*,
    c.progress_done, c.progress_total, c.progress_phase, c.progress_message, c.progress_at,
    j.slot_key IS NOT NULL AND j.last_token IS NOT NULL AND NOT EXISTS (
        SELECT FROM scheduler.jobs AS newer
        WHERE newer.slot_key = j.slot_key AND newer.last_token > j.last_token
    ) AS is_current
FROM scheduler.jobs AS j
LEFT JOIN scheduler.claims AS c ON c.claim_token = j.claim_token
"""
PIPELINE_CARDS = """
CREATE VIEW scheduler.pipeline_cards AS
SELECT p.*,
    EXISTS (
        SELECT FROM scheduler.jobs AS j
        WHERE j.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
    ) OR EXISTS (
        SELECT FROM scheduler.job_links AS l JOIN scheduler.jobs AS j ON j.job_id = l.job_id
        WHERE l.pipeline_id = p.pipeline_id AND j.started_at IS NOT NULL
    ) AS has_started
FROM scheduler.pipelines AS p
"""

SEQUENCES = ("tokens", "pipeline_ids", "job_ids")
TABLES = (
    "sweep_runs",
    "workers",
    "claim_requests",
    "submit_requests",
    "dark_scopes",
    "module_freshness",
    "type_freshness",
    "job_events",
    "exclusive_keys",
    "wishes",
    "staged_children",
    "job_links",
    "claims",
    "jobs",
    "pipelines",
    "years",
)


def upgrade() -> None:
    """Make sequences, the clock, tables and indexes."""
    for sequence in SEQUENCES:
        op.execute(f"CREATE SEQUENCE scheduler.{sequence} AS bigint CACHE 1")
    for statement in (CLOCK, YEARS, PIPELINES, JOBS, CLAIMS):
        op.execute(statement)
    for statements in (LINKS_AND_CHILDREN, FRESHNESS_AND_DARKNESS, REQUESTS_AND_WORKERS, INDEXES):
        for statement in statements:
            op.execute(statement)
    op.execute(JOB_CARDS)
    op.execute(PIPELINE_CARDS)


def downgrade() -> None:
    """Drop them all, newest first."""
    for view in ("pipeline_cards", "job_cards"):
        op.execute(f"DROP VIEW scheduler.{view}")
    for table in TABLES:
        op.execute(f"DROP TABLE scheduler.{table}")
    op.execute("DROP FUNCTION scheduler.clock()")
    for sequence in SEQUENCES:
        op.execute(f"DROP SEQUENCE scheduler.{sequence}")
