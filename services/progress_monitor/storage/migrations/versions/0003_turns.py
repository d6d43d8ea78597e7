"""Whose turn it is to work on a project."""

import sqlalchemy as sql
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the table."""
    op.create_table(
        "progress_turns",
        sql.Column("project_id", sql.String(64), primary_key=True),
        sql.Column("holder", sql.String(32), nullable=False),
        sql.Column("lease_until", sql.Double, nullable=False),
    )


def downgrade() -> None:
    """Drops the table."""
    op.drop_table("progress_turns")
