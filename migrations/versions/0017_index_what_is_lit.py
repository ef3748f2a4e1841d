"""index what is lit"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index('ix_deadlines_late', table_name='deadlines')
    op.create_index('ix_deadlines_lit', 'deadlines', ['due_at', 'id'], unique=False, postgresql_where=sa.text("light <> 'green' and state in ('running', 'paused')"))


def downgrade() -> None:
    op.drop_index('ix_deadlines_lit', table_name='deadlines')
    op.create_index('ix_deadlines_late', 'deadlines', ['due_at', 'id'], unique=False, postgresql_where=sa.text("state = 'running' and light = 'red'"))
