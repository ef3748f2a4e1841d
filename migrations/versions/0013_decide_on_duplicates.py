"""decide on duplicates"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('duplicate_decisions',
    sa.Column('ticket_id', sa.BigInteger(), nullable=False),
    sa.Column('other_id', sa.BigInteger(), nullable=False),
    sa.Column('decision', sa.Text(), nullable=False),
    sa.Column('actor_id', sa.BigInteger(), nullable=True),
    sa.Column('actor_name', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['other_id'], ['tickets.id'], name=op.f('fk_duplicate_decisions_other_id')),
    sa.ForeignKeyConstraint(['ticket_id'], ['tickets.id'], name=op.f('fk_duplicate_decisions_ticket_id')),
    sa.PrimaryKeyConstraint('ticket_id', 'other_id', name=op.f('pk_duplicate_decisions'))
    )


def downgrade() -> None:
    op.drop_table('duplicate_decisions')
