"""calls and sources"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('units', sa.Column('mode', sa.Text(), server_default='ticket', nullable=False))
    op.create_check_constraint(op.f('ck_units_mode'), 'units', "mode in ('ticket', 'call')")
    op.create_index('ix_tickets_registered_unit', 'tickets', ['registered_unit_id', 'id'], unique=False)
    op.create_table('calls',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('call_id', sa.Text(), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('partner_id', sa.BigInteger(), nullable=True),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('from_operator', sa.Text(), nullable=True),
    sa.Column('arrived_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('agent_id', sa.BigInteger(), nullable=True),
    sa.Column('agent_name', sa.Text(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('typed', sa.LargeBinary(), nullable=True),
    sa.Column('caller_unreachable', sa.Boolean(), server_default='false', nullable=False),
    sa.Column('satisfied', sa.Boolean(), nullable=True),
    sa.Column('article', sa.Text(), nullable=True),
    sa.CheckConstraint("source in ('announced', 'manual')", name=op.f('ck_calls_source')),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_calls_partner_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_calls_ticket_id')),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_calls_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calls')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_calls_ticket_id'))
    )
    op.create_index('ix_calls_unit', 'calls', ['unit_id', 'id'], unique=False)
    op.create_index('ix_calls_call_id', 'calls', ['call_id'], unique=False)
    op.create_table('call_attempts',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('call_row_id', sa.BigInteger(), nullable=False),
    sa.Column('task_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reached', sa.Boolean(), nullable=False),
    sa.Column('agent_id', sa.BigInteger(), nullable=True),
    sa.Column('agent_name', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['call_row_id'], ['calls.id'], name=op.f('fk_call_attempts_call_row_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_call_attempts')),
    sa.UniqueConstraint('task_id', name=op.f('uq_call_attempts_task_id'))
    )
    op.create_index('ix_call_attempts_call_row_id', 'call_attempts', ['call_row_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_call_attempts_call_row_id', table_name='call_attempts')
    op.drop_table('call_attempts')
    op.drop_index('ix_calls_call_id', table_name='calls')
    op.drop_index('ix_calls_unit', table_name='calls')
    op.drop_table('calls')
    op.drop_index('ix_tickets_registered_unit', table_name='tickets')
    op.drop_constraint(op.f('ck_units_mode'), 'units', type_='check')
    op.drop_column('units', 'mode')
