"""How Alembic runs here: over a connection that the service already has."""

from alembic import context

from services.progress_monitor.storage.tables import meta

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=meta,
    version_table="progress_alembic_version",
    render_as_batch=True,  # SQLite cannot change a column in place
)
context.run_migrations()
