"""The service's tables. Changes to them go through `migrations`."""

import sqlalchemy as sql

meta = sql.MetaData()

projects = sql.Table(
    "progress_projects",
    meta,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("content", sql.Text, nullable=False),  # the project as JSON
)

observations = sql.Table(
    "progress_observations",
    meta,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column(
        "project_id", sql.String(64), sql.ForeignKey("progress_projects.id", ondelete="CASCADE"), nullable=False
    ),
    sql.Column("acquired", sql.Double, nullable=False),
    sql.Column("sha256", sql.String(64), nullable=False),
    sql.Column("content", sql.Text, nullable=False),  # the observation as JSON
    # The same file under the same time is the same observation; under another it is a replay, kept as such.
    sql.UniqueConstraint("project_id", "sha256", "acquired"),
)

photos = sql.Table(
    "progress_photos",
    meta,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column(
        "project_id", sql.String(64), sql.ForeignKey("progress_projects.id", ondelete="CASCADE"), nullable=False
    ),
    sql.Column("sha256", sql.String(64), nullable=False),
    sql.Column("fingerprint", sql.String(16), nullable=False),
    sql.Column("content", sql.Text, nullable=False),  # the photo as JSON
)

alerts = sql.Table(
    "progress_alerts",
    meta,
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=True),
    sql.Column(
        "project_id", sql.String(64), sql.ForeignKey("progress_projects.id", ondelete="CASCADE"), nullable=False
    ),
    sql.Column("key", sql.String(128), nullable=False),  # kind and since: an alert is raised once
    sql.Column("raised", sql.Double, nullable=False),
    sql.Column("content", sql.Text, nullable=False),  # the alert as JSON
    sql.UniqueConstraint("project_id", "key"),
)

rescans = sql.Table(
    "progress_rescans",
    meta,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("request_id", sql.String(128), nullable=False, unique=True),
    sql.Column("created", sql.Double, nullable=False),
)

rescan_items = sql.Table(
    "progress_rescan_items",
    meta,
    sql.Column(
        "rescan_id", sql.String(32), sql.ForeignKey("progress_rescans.id", ondelete="CASCADE"), primary_key=True
    ),
    sql.Column("project_id", sql.String(64), primary_key=True),
    sql.Column("lease_until", sql.Double, nullable=False, default=0.0),
    sql.Column("done", sql.Boolean, nullable=False, default=False),
    sql.Column("observations", sql.Integer, nullable=False, default=0),
    sql.Column("failure", sql.Text, nullable=False, default=""),
)

stac_items = sql.Table(
    "progress_stac_items",
    meta,
    sql.Column(
        "project_id", sql.String(64), sql.ForeignKey("progress_projects.id", ondelete="CASCADE"), primary_key=True
    ),
    sql.Column("item", sql.String(64), primary_key=True),  # SHA-256 of its collection and id
    sql.Column("state", sql.String(64), nullable=False),
    sql.Column("content", sql.String(64), nullable=False),
    sql.Column("observation_id", sql.String(32), nullable=False),
)

turns = sql.Table(
    "progress_turns",
    meta,
    sql.Column("project_id", sql.String(64), primary_key=True),
    sql.Column("holder", sql.String(32), nullable=False),
    sql.Column("lease_until", sql.Double, nullable=False),
)
