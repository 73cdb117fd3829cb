"""Tables of the database. Times are ISO 8601 text in UTC."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, MetaData, Table, Text

metadata = MetaData()

# The data that is exported; `details` is JSON. The index gives an export its rows in order, without a sort.
user_activity = Table(
    "user_activity",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("timestamp", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("details", Text, nullable=False),
    Index("user_activity_by_owner", "tenant_id", "user_id", "id"),
)

# A key is 256 random bits, so its plain SHA-256 is safe to keep and to look up by.
api_key = Table(
    "api_key",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
)

# This table is the queue: `sequence` is its order, `id` the name the outside knows.
export_job = Table(
    "export_job",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("tenant_id", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("rows", Integer),
    Column("bytes", Integer),
    Column("error", Text),
    Column("created_at", Text, nullable=False),
    Column("started_at", Text),
    Column("finished_at", Text),
    CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name="export_job_state"),
    Index("export_job_by_state", "state", "sequence"),
    Index("export_job_by_tenant", "tenant_id", "sequence"),
    sqlite_autoincrement=True,
)
