"""The tables of the service. Times are seconds since 1970."""

import sqlalchemy as sql

COMPONENT = "doc_extract"
VERSION = 1
"""Version of the layout below; a release that changes it must say how old tables become new ones."""

ID = sql.String(32)
NAME = sql.String(128)

metadata = sql.MetaData()

documents = sql.Table(
    "doc_extract_documents",
    metadata,
    sql.Column("id", ID, primary_key=True),
    sql.Column("channel", NAME, nullable=False),
    sql.Column("request_id", NAME, nullable=False),
    sql.Column("file_name", sql.String(255), nullable=False),
    sql.Column("schema_id", sql.String(63), nullable=False),
    sql.Column("schema_version", sql.String(32), nullable=False),
    sql.Column("timeout_s", sql.Double, nullable=False),
    sql.Column("sha256", sql.String(64), nullable=False),
    sql.Column("state", sql.String(8), nullable=False),
    sql.Column("blob", ID, nullable=False, default=""),
    sql.Column("token", ID, nullable=False, default=""),
    sql.Column("lease_until", sql.Double, nullable=False, default=0.0),
    sql.Column("not_before", sql.Double, nullable=False, default=0.0),
    sql.Column("attempts", sql.Integer, nullable=False, default=0),
    sql.Column("pages_done", sql.Integer, nullable=False, default=0),
    sql.Column("pages", sql.Integer, nullable=False, default=0),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("failure", sql.Text),
    sql.Column("extraction", sql.Text),
    sql.Column("document_kind", sql.String(32), nullable=False, default=""),
    sql.Column("to_review", sql.Integer, nullable=False, default=0),
    sql.Column("findings", sql.Integer, nullable=False, default=0),
    sql.Column("revision", sql.Integer, nullable=False, default=0),
    sql.Column("reviewed", sql.Double),
    sql.UniqueConstraint("channel", "request_id"),
    sql.Index("doc_extract_documents_by_state", "state", "not_before"),
    sql.Index("doc_extract_documents_by_time", "created", "id"),
    sql.Index("doc_extract_documents_by_review", "reviewed", "id"),
)

reviews = sql.Table(
    "doc_extract_reviews",
    metadata,
    sql.Column("document_id", sql.ForeignKey(documents.c.id, ondelete="CASCADE"), primary_key=True),
    sql.Column("revision", sql.Integer, primary_key=True),
    sql.Column("reviewer", NAME, nullable=False),
    sql.Column("channel", NAME, nullable=False),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("corrections", sql.Text, nullable=False),
)

operations = sql.Table(
    "doc_extract_operations",
    metadata,
    sql.Column("id", ID, primary_key=True),
    sql.Column("channel", NAME, nullable=False),
    sql.Column("request_id", NAME, nullable=False),
    sql.Column("digest", sql.String(64), nullable=False),
    sql.Column("created", sql.Double, nullable=False),
    sql.Column("cancelled", sql.Boolean, nullable=False, default=False),
    sql.UniqueConstraint("channel", "request_id"),
    sql.Index("doc_extract_operations_by_time", "created", "id"),
)

members = sql.Table(
    "doc_extract_operation_documents",
    metadata,
    sql.Column("operation_id", sql.ForeignKey(operations.c.id, ondelete="CASCADE"), primary_key=True),
    sql.Column("position", sql.Integer, primary_key=True),
    # Not a foreign key: an operation outlives a result that is erased.
    sql.Column("document_id", ID, nullable=False, index=True),
    sql.Column("request_id", NAME, nullable=False),
)

schemas = sql.Table(
    "doc_extract_schemas",
    metadata,
    sql.Column("id", sql.String(63), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("fields", sql.Text, nullable=False),
    sql.Column("created", sql.Double, nullable=False),
)
