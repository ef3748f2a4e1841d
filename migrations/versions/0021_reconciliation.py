"""reconciliation"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('reconciliations',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('partner_id', sa.BigInteger(), nullable=False),
    sa.Column('day', sa.Date(), nullable=False),
    sa.Column('list_id', sa.Text(), nullable=True),
    sa.Column('pages', sa.Integer(), nullable=True),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('ours', sa.Integer(), nullable=True),
    sa.Column('theirs', sa.Integer(), nullable=True),
    sa.Column('differences', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('compared_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_reconciliations_partner_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reconciliations')),
    sa.UniqueConstraint('partner_id', 'day', name=op.f('uq_reconciliations_partner_id_day'))
    )
    op.create_index('ix_reconciliations_complete', 'reconciliations', ['id'], unique=False, postgresql_where=sa.text("state = 'complete'"))
    op.create_index('ix_reconciliations_day', 'reconciliations', ['day', 'id'], unique=False)
    op.create_table('reconciliation_pages',
    sa.Column('reconciliation_id', sa.BigInteger(), nullable=False),
    sa.Column('page', sa.Integer(), nullable=False),
    sa.Column('tickets', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.ForeignKeyConstraint(['reconciliation_id'], ['reconciliations.id'], name=op.f('fk_reconciliation_pages_reconciliation_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('reconciliation_id', 'page', name=op.f('pk_reconciliation_pages'))
    )
    op.create_table('reconciliation_differences',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=True), nullable=False),
    sa.Column('reconciliation_id', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('acceptance_no', sa.Text(), nullable=True),
    sa.Column('external_ticket_no', sa.Text(), nullable=True),
    sa.Column('ours', sa.Text(), nullable=True),
    sa.Column('theirs', sa.Text(), nullable=True),
    sa.Column('repaired_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('repaired_by', sa.Text(), nullable=True),
    sa.Column('repair', sa.Text(), nullable=True),
    sa.ForeignKeyConstraint(['reconciliation_id'], ['reconciliations.id'], name=op.f('fk_reconciliation_differences_reconciliation_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reconciliation_differences'))
    )
    op.create_index('ix_reconciliation_differences_of', 'reconciliation_differences', ['reconciliation_id', 'id'], unique=False)


def downgrade() -> None:
    op.drop_table('reconciliation_differences')
    op.drop_table('reconciliation_pages')
    op.drop_table('reconciliations')
