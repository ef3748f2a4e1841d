"""results by unit"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_deadlines_results', 'deadlines', ['unit_id', 'due_at', 'id'], unique=False, postgresql_where=sa.text("stage = 'total' and state = 'done'"))


def downgrade() -> None:
    op.drop_index('ix_deadlines_results', table_name='deadlines', postgresql_where=sa.text("stage = 'total' and state = 'done'"))
