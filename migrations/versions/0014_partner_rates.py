"""partner rates"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('partners', sa.Column('requests_per_minute', sa.Integer(), server_default='1200', nullable=False))
    op.add_column('partners', sa.Column('request_burst', sa.Integer(), server_default='200', nullable=False))
    op.create_table('rate_buckets',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('full_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_rate_buckets')),
    prefixes=['UNLOGGED'],
    postgresql_with={'fillfactor': 50}
    )


def downgrade() -> None:
    op.drop_table('rate_buckets')
    op.drop_column('partners', 'request_burst')
    op.drop_column('partners', 'requests_per_minute')
