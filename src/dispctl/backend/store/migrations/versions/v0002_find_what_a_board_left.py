"""Index what points at boards and operators: forgetting one board looked through every job and report there was.

A job's queue gets an index of its own, of the few jobs that wait, instead of one of all jobs there have ever been.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

QUEUED = sa.text("status = 'queued'")
POINTERS = (
    ("jobs", "device_id"),
    ("jobs", "operator_id"),
    ("job_reports", "device_id"),
    ("set_aside_reports", "device_id"),
    ("claims", "operator_id"),
)


def upgrade() -> None:
    """Make the indexes, and drop the one that they replace."""
    op.create_index(
        "queued_jobs", "jobs", ["operator_id", "id"], sqlite_where=QUEUED, postgresql_where=QUEUED
    )
    op.drop_index("jobs_by_status", "jobs")
    for table, column in POINTERS:
        op.create_index(f"ix_{table}_{column}", table, [column])
