"""lights on tasks"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

# after everything that has a due date: nothing is near when it is done, or its clock stands
NEVER = "'2999-01-01 00:00+00'"


def upgrade() -> None:
    for name in ('yellow_at', 'orange_at'):
        op.add_column('user_tasks', sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.text(NEVER)))
        op.alter_column('user_tasks', name, server_default=None)
    op.execute("""
        update user_tasks t set yellow_at = d.yellow_at, orange_at = d.orange_at
        from deadlines d where d.task_id = t.id and t.state = 'open' and d.state = 'running'
    """)
    op.execute("""
        update user_tasks t set yellow_at = d.yellow_at, orange_at = d.orange_at
        from ticket_clocks c join deadlines d on d.ticket_id = c.ticket_id and d.round = c.round
        where c.business_key = t.business_key and d.stage = 'total' and d.state = 'running'
          and t.state = 'open' and t.deadline_key is null
    """)
    op.execute(f"""
        update user_tasks t set sort_at = {NEVER}
        from deadlines d where d.task_id = t.id and t.state = 'open' and d.state = 'paused'
    """)
    op.drop_index('ix_user_tasks_unit_open', table_name='user_tasks')
    op.create_index('ix_user_tasks_unit_open', 'user_tasks', ['unit_id', 'sort_at', 'id'], unique=False, postgresql_include=['role', 'yellow_at', 'orange_at'], postgresql_where=sa.text("state = 'open'"))


def downgrade() -> None:
    op.drop_index('ix_user_tasks_unit_open', table_name='user_tasks')
    op.create_index('ix_user_tasks_unit_open', 'user_tasks', ['unit_id', 'sort_at', 'id'], unique=False, postgresql_include=['role'], postgresql_where=sa.text("state = 'open'"))
    op.execute(f"update user_tasks set sort_at = due_at where state = 'open' and sort_at = {NEVER} and due_at is not null")
    op.drop_column('user_tasks', 'orange_at')
    op.drop_column('user_tasks', 'yellow_at')
