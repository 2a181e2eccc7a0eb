"""Run by Alembic: uses the connection, and the transaction, of whoever asked for the migration."""

from alembic import context

from nhirx.outbox.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
