"""derived states: what a suspended ticket returns to follows from where its diagram stands"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column('tickets', 'resume_status')


def downgrade() -> None:
    op.add_column('tickets', sa.Column('resume_status', sa.Text(), nullable=True))
