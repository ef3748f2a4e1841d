"""deadlines"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None

STEPS = "event in ('yellow', 'orange', 'red', 'supervise', 'leaders', 'notice')"


def json() -> postgresql.JSONB:
    return postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    op.create_table('calendar_years',
    sa.Column('year', sa.SmallInteger(), autoincrement=False, nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('days', json(), nullable=False),
    sa.PrimaryKeyConstraint('year', name=op.f('pk_calendar_years'))
    )
    op.create_table('calendar_divisions',
    sa.Column('division_code', sa.Text(), nullable=False),
    sa.Column('days', json(), nullable=False),
    sa.Column('hours', json(), nullable=False),
    sa.PrimaryKeyConstraint('division_code', name=op.f('pk_calendar_divisions'))
    )
    op.create_table('calendar_changes',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('difference', json(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_calendar_changes'))
    )
    op.create_table('deadline_policies',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('follows', sa.BigInteger(), nullable=False),
    sa.Column('values', json(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadline_policies')),
    sa.UniqueConstraint('scope', 'follows', name=op.f('uq_deadline_policies_scope_follows'))
    )
    op.create_table('ticket_clocks',
    sa.Column('ticket_id', sa.BigInteger(), autoincrement=False, nullable=False),
    sa.Column('business_key', sa.Text(), nullable=False),
    sa.Column('division_code', sa.Text(), nullable=False),
    sa.Column('facts', json(), nullable=False),
    sa.Column('policy', sa.Text(), nullable=False),
    sa.Column('round', sa.SmallInteger(), nullable=False),
    sa.Column('extension_asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('ticket_id', name=op.f('pk_ticket_clocks')),
    postgresql_with={'fillfactor': 85}
    )
    op.create_table('deadlines',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('round', sa.SmallInteger(), nullable=False),
    sa.Column('stage', sa.Text(), nullable=False),
    sa.Column('task_id', sa.Uuid(), nullable=True),
    sa.Column('unit_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('limit', sa.Text(), nullable=True),
    sa.Column('basis', sa.Text(), nullable=False),
    sa.Column('law', sa.Text(), nullable=False),
    sa.Column('policy', sa.Text(), nullable=False),
    sa.Column('calendar', sa.BigInteger(), nullable=False),
    sa.Column('facts', json(), nullable=False),
    sa.Column('start_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('yellow_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('orange_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('provisional', sa.Boolean(), nullable=False),
    sa.Column('squeezed', sa.Boolean(), nullable=False),
    sa.Column('granted', json(), nullable=False),
    sa.Column('not_before', sa.DateTime(timezone=True), nullable=True),
    sa.Column('paused', sa.Interval(), nullable=False),
    sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('light', sa.Text(), nullable=False),
    sa.Column('generation', sa.BigInteger(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('on_time', sa.Boolean(), nullable=True),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket_clocks.ticket_id'], name=op.f('fk_deadlines_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadlines')),
    postgresql_with={'fillfactor': 80}
    )
    op.create_index('ix_deadlines_ticket_id', 'deadlines', ['ticket_id', 'id'], unique=False)
    op.create_index('ix_deadlines_task_id', 'deadlines', ['task_id'], unique=False, postgresql_where=sa.text('task_id is not null'))
    op.create_index('ix_deadlines_provisional', 'deadlines', ['id'], unique=False, postgresql_where=sa.text("provisional and state in ('running', 'paused')"))
    op.create_index('ix_deadlines_late', 'deadlines', ['due_at', 'id'], unique=False, postgresql_where=sa.text("state = 'running' and light = 'red'"))
    op.create_table('deadline_pauses',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket_clocks.ticket_id'], name=op.f('fk_deadline_pauses_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadline_pauses'))
    )
    op.create_index('ix_deadline_pauses_ticket_id', 'deadline_pauses', ['ticket_id', 'id'], unique=False)
    op.create_index('ix_deadline_pauses_open', 'deadline_pauses', ['ticket_id', 'reason'], unique=True, postgresql_where=sa.text('ended_at is null'))
    op.create_table('deadline_events',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('deadline_id', sa.BigInteger(), nullable=False),
    sa.Column('generation', sa.BigInteger(), nullable=False),
    sa.Column('event', sa.Text(), nullable=False),
    sa.Column('old_due_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['deadline_id'], ['deadlines.id'], name=op.f('fk_deadline_events_deadline_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_deadline_events'))
    )
    op.create_index('ix_deadline_events_deadline_id', 'deadline_events', ['deadline_id', 'id'], unique=False)
    op.create_index('ix_deadline_events_once', 'deadline_events', ['deadline_id', 'generation', 'event'], unique=True, postgresql_where=sa.text(STEPS))


def downgrade() -> None:
    for table in (
        'deadline_events',
        'deadline_pauses',
        'deadlines',
        'ticket_clocks',
        'deadline_policies',
        'calendar_changes',
        'calendar_divisions',
        'calendar_years',
    ):
        op.drop_table(table)
