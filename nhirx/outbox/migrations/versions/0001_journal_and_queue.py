"""The journal, the queue, the audit trail.

Frozen: a change of the schema is a new file, and ``schema.HEAD`` names the newest.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain")),
    )
    op.create_table(
        "dispensings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("person_key", sa.String(length=64), nullable=True),
        sa.Column("visit_key", sa.String(length=64), nullable=True),
        sa.Column("plan_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("prescription_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("facts_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reading_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("signatures_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("reason_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("settled_by", sa.Integer(), nullable=True),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('opened', 'numbered', 'writing', 'written', 'held', 'filled', 'settled', 'abandoned')",
            name=op.f("ck_dispensings_state"),
        ),
        sa.ForeignKeyConstraint(["settled_by"], ["dispensings.id"], name=op.f("fk_dispensings_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispensings")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_dispensings_open",
        "dispensings",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state IN ('opened', 'numbered', 'writing', 'written', 'held')"),
        postgresql_where=sa.text("state IN ('opened', 'numbered', 'writing', 'written', 'held')"),
    )
    op.create_index("ix_dispensings_person", "dispensings", ["person_key"], unique=False)
    op.create_index("ix_dispensings_visit", "dispensings", ["visit_key"], unique=False)
    op.create_table(
        "events",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=16), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=True),
        sa.Column("after", sa.String(length=16), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_events")),
    )
    op.create_index("ix_events_subject", "events", ["subject", "subject_id"], unique=False)
    op.create_table(
        "meta",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_meta")),
    )
    op.create_table(
        "queue",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("dispensing_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("lock", sa.String(length=64), nullable=False),
        sa.Column("unique_key", sa.Integer(), nullable=False),
        sa.Column("visit_key", sa.String(length=64), nullable=False),
        sa.Column("person_key", sa.String(length=64), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("record_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("built_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("lease", sa.String(length=32), nullable=True),
        sa.Column("opcode", sa.String(length=128), nullable=True),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("result_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=True),
        sa.Column("purged_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "state IN ('built', 'sending', 'stuck', 'sent', 'accepted', 'rejected', 'superseded', 'withdrawn')",
            name=op.f("ck_queue_state"),
        ),
        sa.ForeignKeyConstraint(["dispensing_id"], ["dispensings.id"], name=op.f("fk_queue_dispensing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_queue")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_queue_dispensing",
        "queue",
        ["dispensing_id"],
        unique=False,
        sqlite_where=sa.text("dispensing_id IS NOT NULL"),
        postgresql_where=sa.text("dispensing_id IS NOT NULL"),
    )
    op.create_index(
        "ix_queue_due",
        "queue",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'built'"),
        postgresql_where=sa.text("state = 'built'"),
    )
    op.create_index(
        "ix_queue_leased",
        "queue",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index(
        "ix_queue_opcode",
        "queue",
        ["opcode"],
        unique=False,
        sqlite_where=sa.text("opcode IS NOT NULL"),
        postgresql_where=sa.text("opcode IS NOT NULL"),
    )
    op.create_index(
        "ix_queue_person",
        "queue",
        ["state"],
        unique=False,
        sqlite_where=sa.text("state IN ('rejected', 'stuck')"),
        postgresql_where=sa.text("state IN ('rejected', 'stuck')"),
    )
    op.create_index(
        "ix_queue_unchecked",
        "queue",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'sent'"),
        postgresql_where=sa.text("state = 'sent'"),
    )
    op.create_index("ix_queue_visit", "queue", ["visit_key"], unique=False)
    op.create_index(
        "ix_queue_waiting",
        "queue",
        ["lock", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('built', 'sending')"),
        postgresql_where=sa.text("state IN ('built', 'sending')"),
    )
    op.create_index(
        "uq_queue_one_sender",
        "queue",
        ["lock"],
        unique=True,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
