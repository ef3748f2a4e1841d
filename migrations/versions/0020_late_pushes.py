"""late pushes"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('outbound_messages', sa.Column('due_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('outbound_messages', sa.Column('alarm_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column('outbound_messages', 'alarm_at')
    op.drop_column('outbound_messages', 'due_at')
