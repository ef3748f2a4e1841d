"""matters and callbacks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('matters',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('number', sa.Text(), nullable=True),
    sa.Column('text', sa.LargeBinary(), nullable=False),
    sa.Column('reason_code', sa.SmallInteger(), nullable=True),
    sa.Column('attachments', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('via', sa.Text(), nullable=True),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('partner_id', sa.BigInteger(), nullable=True),
    sa.Column('raised_by', sa.BigInteger(), nullable=True),
    sa.Column('raised_by_name', sa.Text(), nullable=False),
    sa.Column('raised_unit_id', sa.BigInteger(), nullable=True),
    sa.Column('raised_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=True),
    sa.Column('answered_by', sa.BigInteger(), nullable=True),
    sa.Column('answered_by_name', sa.Text(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_matters_partner_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_matters_ticket_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_matters_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_matters')),
    sa.UniqueConstraint('number', name=op.f('uq_matters_number'))
    )
    op.create_index('ix_matters_one_open', 'matters', ['ticket_id', 'kind'], unique=True, postgresql_where=sa.text("state = 'open' and kind in ('request', 'suspend', 'withdraw')"))
    op.create_index('ix_matters_ticket_id', 'matters', ['ticket_id', 'id'], unique=False)
    op.create_table('callbacks',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('round', sa.SmallInteger(), nullable=False),
    sa.Column('satisfaction', sa.SmallInteger(), nullable=True),
    sa.Column('solved', sa.Boolean(), nullable=True),
    sa.Column('rework_asked', sa.Boolean(), nullable=False),
    sa.Column('text', sa.LargeBinary(), nullable=True),
    sa.Column('partner_id', sa.BigInteger(), nullable=True),
    sa.Column('task_id', sa.Uuid(), nullable=True),
    sa.Column('called_by', sa.BigInteger(), nullable=True),
    sa.Column('called_by_name', sa.Text(), nullable=False),
    sa.Column('called_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('completed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_callbacks_partner_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_callbacks_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_callbacks')),
    sa.UniqueConstraint('task_id', name=op.f('uq_callbacks_task_id'))
    )
    op.create_index('ix_callbacks_ticket_id', 'callbacks', ['ticket_id', 'id'], unique=False)
    op.create_index('ix_tickets_merged_into_id', 'tickets', ['merged_into_id'], unique=False, postgresql_where=sa.text('merged_into_id is not null'))
    op.create_index('ix_tickets_place', 'tickets', ['division_code', 'problem_category', 'submitted_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_tickets_place', table_name='tickets')
    op.drop_index('ix_tickets_merged_into_id', table_name='tickets', postgresql_where=sa.text('merged_into_id is not null'))
    op.drop_index('ix_callbacks_ticket_id', table_name='callbacks')
    op.drop_table('callbacks')
    op.drop_index('ix_matters_ticket_id', table_name='matters')
    op.drop_index('ix_matters_one_open', table_name='matters', postgresql_where=sa.text("state = 'open' and kind in ('request', 'suspend', 'withdraw')"))
    op.drop_table('matters')
