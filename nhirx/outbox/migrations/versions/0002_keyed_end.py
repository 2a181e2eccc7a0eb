"""A keyed mark beside the end of the audit trail: without the key nobody can make an earlier line look like the last.

Filled in by whoever opens the database with the key (``store``). Frozen, as every migration.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("chain", sa.Column("mark", sa.String(length=64), nullable=True))
