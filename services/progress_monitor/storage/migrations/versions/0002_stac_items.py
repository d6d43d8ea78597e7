"""Which items of STAC catalogues were imported."""

import sqlalchemy as sql
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the table."""
    reference = sql.ForeignKey("progress_projects.id", ondelete="CASCADE")
    op.create_table(
        "progress_stac_items",
        sql.Column("project_id", sql.String(64), reference, primary_key=True),
        sql.Column("item", sql.String(64), primary_key=True),
        sql.Column("state", sql.String(64), nullable=False),
        sql.Column("content", sql.String(64), nullable=False),
        sql.Column("observation_id", sql.String(32), nullable=False),
    )


def downgrade() -> None:
    """Drops the table."""
    op.drop_table("progress_stac_items")
