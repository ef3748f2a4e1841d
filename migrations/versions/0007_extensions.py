"""extensions"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tickets', sa.Column('extension_until', sa.DateTime(timezone=True), nullable=True))
    op.create_table('extensions',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('request_no', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('days', sa.SmallInteger(), nullable=False),
    sa.Column('informed_note', sa.Text(), nullable=False),
    sa.Column('requested_by', sa.BigInteger(), nullable=True),
    sa.Column('requested_by_name', sa.Text(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_before', sa.DateTime(timezone=True), nullable=False),
    sa.Column('proposed_due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('decider', sa.Text(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('reminders', sa.SmallInteger(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('opinion', sa.Text(), nullable=True),
    sa.Column('approved_days', sa.SmallInteger(), nullable=True),
    sa.Column('decided_by', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_after', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_extensions_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_extensions')),
    sa.UniqueConstraint('request_no', name=op.f('uq_extensions_request_no'))
    )
    op.create_index('ix_extensions_open', 'extensions', ['ticket_id'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index('ix_extensions_ticket_id', 'extensions', ['ticket_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_extensions_ticket_id', table_name='extensions')
    op.drop_index('ix_extensions_open', table_name='extensions', postgresql_where=sa.text("state = 'open'"))
    op.drop_table('extensions')
    op.drop_column('tickets', 'extension_until')
