"""page sessions"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('page_sessions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('partner_id', sa.BigInteger(), nullable=False),
    sa.Column('intake_table', sa.Text(), nullable=False),
    sa.Column('display', sa.Text(), nullable=False),
    sa.Column('operator_no', sa.Text(), nullable=False),
    sa.Column('caller_number', sa.LargeBinary(), nullable=False),
    sa.Column('called_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('external_ticket_no', sa.Text(), nullable=True),
    sa.Column('return_url', sa.Text(), nullable=True),
    sa.Column('token_hash', sa.LargeBinary(), nullable=False),
    sa.Column('key_hash', sa.LargeBinary(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('draft', sa.LargeBinary(), nullable=True),
    sa.Column('ticket_id', sa.BigInteger(), nullable=True),
    sa.CheckConstraint("display in ('window', 'iframe')", name=op.f('ck_page_sessions_display')),
    sa.ForeignKeyConstraint(['partner_id'], ['partners.id'], name=op.f('fk_page_sessions_partner_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_page_sessions_ticket_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_page_sessions')),
    sa.UniqueConstraint('ticket_id', name=op.f('uq_page_sessions_ticket_id')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_page_sessions_token_hash'))
    )
    op.create_index('ix_page_sessions_age', 'page_sessions', ['created_at'], unique=False)


def downgrade() -> None:
    op.drop_index('ix_page_sessions_age', table_name='page_sessions')
    op.drop_table('page_sessions')
