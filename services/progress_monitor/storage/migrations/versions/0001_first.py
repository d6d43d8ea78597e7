"""The first tables."""

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "progress_projects",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("created", sql.Double, nullable=False),
        sql.Column("content", sql.Text, nullable=False),
    )
    op.create_table(
        "progress_observations",
        sql.Column("id", sql.String(32), primary_key=True),
        _project_id(),
        sql.Column("acquired", sql.Double, nullable=False),
        sql.Column("sha256", sql.String(64), nullable=False),
        sql.Column("content", sql.Text, nullable=False),
        sql.UniqueConstraint("project_id", "sha256", "acquired"),
    )
    op.create_table(
        "progress_photos",
        sql.Column("id", sql.String(32), primary_key=True),
        _project_id(),
        sql.Column("sha256", sql.String(64), nullable=False),
        sql.Column("fingerprint", sql.String(16), nullable=False),
        sql.Column("content", sql.Text, nullable=False),
    )
    op.create_table(
        "progress_alerts",
        sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
        _project_id(),
        sql.Column("key", sql.String(128), nullable=False),
        sql.Column("raised", sql.Double, nullable=False),
        sql.Column("content", sql.Text, nullable=False),
        sql.UniqueConstraint("project_id", "key"),
    )
    op.create_table(
        "progress_rescans",
        sql.Column("id", sql.String(32), primary_key=True),
        sql.Column("request_id", sql.String(128), nullable=False, unique=True),
        sql.Column("created", sql.Double, nullable=False),
    )
    op.create_table(
        "progress_rescan_items",
        sql.Column(
            "rescan_id", sql.String(32), sql.ForeignKey("progress_rescans.id", ondelete="CASCADE"), primary_key=True
        ),
        sql.Column("project_id", sql.String(64), primary_key=True),
        sql.Column("lease_until", sql.Double, nullable=False),
        sql.Column("done", sql.Boolean, nullable=False),
        sql.Column("observations", sql.Integer, nullable=False),
        sql.Column("failure", sql.Text, nullable=False),
    )


def downgrade() -> None:
    """Drops the tables."""
    for table in ("rescan_items", "rescans", "alerts", "photos", "observations", "projects"):
        op.drop_table(f"progress_{table}")


def _project_id() -> sql.Column[str]:
    reference = sql.ForeignKey("progress_projects.id", ondelete="CASCADE")
    return sql.Column("project_id", sql.String(64), reference, nullable=False)
