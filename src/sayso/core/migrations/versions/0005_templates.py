"""Templates: the mirror of what Meta has, and when it was last compared."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    CREATE TABLE templates (
        waba_id text NOT NULL,
        name text NOT NULL,
        language text NOT NULL,
        meta_id text,
        category text NOT NULL,
        correct_category text,
        status text NOT NULL,
        reason text,
        quality text,
        parameter_format text NOT NULL DEFAULT 'POSITIONAL',
        components jsonb NOT NULL,
        ttl_s int,
        wanted jsonb,
        drift text[] NOT NULL DEFAULT '{}',
        paused_until timestamptz,
        pending_since timestamptz,
        told_at timestamptz,
        changed_at timestamptz NOT NULL,
        synced_at timestamptz,
        PRIMARY KEY (waba_id, name, language)
    )
    """,
    "CREATE INDEX templates_meta_id ON templates (meta_id)",
    """
    CREATE TABLE template_syncs (
        id text PRIMARY KEY,
        synced_at timestamptz,
        asked_at timestamptz,
        failed text,
        work text CHECK (work IN ('ready', 'waiting', 'running')),
        work_at timestamptz NOT NULL,
        worker bigint,
        tries int NOT NULL DEFAULT 0
    ) WITH (fillfactor = 50)
    """,
    "CREATE INDEX template_syncs_ready ON template_syncs (id) WHERE work = 'ready'",
    "CREATE INDEX template_syncs_waiting ON template_syncs (work_at) WHERE work = 'waiting'",
    "CREATE INDEX template_syncs_running ON template_syncs (worker) WHERE work = 'running'",
)


def upgrade() -> None:
    """Create the mirror."""
    for statement in STATEMENTS:
        op.execute(statement)
