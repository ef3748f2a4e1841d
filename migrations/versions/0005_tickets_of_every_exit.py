"""tickets of every exit"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('tickets', sa.Column('registered_unit_id', sa.BigInteger(), nullable=True))
    op.add_column('tickets', sa.Column('appointed_unit_id', sa.BigInteger(), nullable=True))
    op.add_column('tickets', sa.Column('summary', sa.LargeBinary(), nullable=True))
    op.add_column('tickets', sa.Column('merged_into_id', sa.BigInteger(), nullable=True))
    op.add_column('tickets', sa.Column('resume_status', sa.Text(), nullable=True))
    op.add_column('tickets', sa.Column('reworks', sa.SmallInteger(), server_default='0', nullable=False))
    op.create_foreign_key(op.f('fk_tickets_registered_unit_id'), 'tickets', 'units', ['registered_unit_id'], ['id'])
    op.create_foreign_key(op.f('fk_tickets_merged_into_id'), 'tickets', 'tickets', ['merged_into_id'], ['id'])


def downgrade() -> None:
    op.drop_constraint(op.f('fk_tickets_merged_into_id'), 'tickets', type_='foreignkey')
    op.drop_constraint(op.f('fk_tickets_registered_unit_id'), 'tickets', type_='foreignkey')
    for column in ('reworks', 'resume_status', 'merged_into_id', 'summary', 'appointed_unit_id', 'registered_unit_id'):
        op.drop_column('tickets', column)
