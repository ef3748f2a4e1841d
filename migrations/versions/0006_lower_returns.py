"""lower returns"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

REPORTS = ('investigations', 'declaration_results', 'consultation_answers')


def upgrade() -> None:
    op.create_table('lower_returns',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('from_unit_id', sa.BigInteger(), nullable=False),
    sa.Column('to_unit_id', sa.BigInteger(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('asked_by', sa.BigInteger(), nullable=True),
    sa.Column('asked_by_name', sa.Text(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('opinion', sa.Text(), nullable=True),
    sa.Column('decided_by', sa.BigInteger(), nullable=True),
    sa.Column('decided_by_name', sa.Text(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_lower_returns_ticket_id')),
    sa.ForeignKeyConstraint(['from_unit_id'], ['units.id'], name=op.f('fk_lower_returns_from_unit_id')),
    sa.ForeignKeyConstraint(['to_unit_id'], ['units.id'], name=op.f('fk_lower_returns_to_unit_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lower_returns'))
    )
    op.create_index('ix_lower_returns_ticket_id', 'lower_returns', ['ticket_id', 'id'], unique=False)
    op.create_index('ix_lower_returns_from_unit_id', 'lower_returns', ['from_unit_id', 'asked_at'], unique=False)
    op.create_index('ix_lower_returns_open', 'lower_returns', ['ticket_id'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.add_column('tickets', sa.Column('targets', sa.LargeBinary(), nullable=True))
    for column in ('accused_unit_ids', 'permits'):
        op.add_column('tickets', sa.Column(column, postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'"), nullable=False))
    for table in REPORTS:
        op.add_column(table, sa.Column('contact_attempts', postgresql.JSONB(astext_type=sa.Text()), nullable=True))


def downgrade() -> None:
    for table in REPORTS:
        op.drop_column(table, 'contact_attempts')
    for column in ('permits', 'accused_unit_ids', 'targets'):
        op.drop_column('tickets', column)
    op.drop_table('lower_returns')
