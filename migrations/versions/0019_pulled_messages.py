"""pulled messages"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('partners', sa.Column('delivery', sa.Text(), server_default='push', nullable=False))
    op.add_column('outbound_messages', sa.Column('pulled_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_outbound_messages_undelivered', 'outbound_messages', ['partner_id', 'id'], unique=False, postgresql_where=sa.text("state in ('pending', 'dead')"))
    op.add_column('work_items', sa.Column('yields', sa.Boolean(), server_default=sa.text('false'), nullable=False))
    op.execute("update work_items set yields = true from outbound_messages m where work_items.lane = 'outbound' and work_items.state in ('ready', 'leased', 'dead') and m.operation in ('status-events', 'request-cancellations') and work_items.dedup_key = 'outbound:' || m.idempotency_key")


def downgrade() -> None:
    op.drop_column('work_items', 'yields')
    op.drop_index('ix_outbound_messages_undelivered', table_name='outbound_messages', postgresql_where=sa.text("state in ('pending', 'dead')"))
    op.drop_column('outbound_messages', 'pulled_at')
    op.drop_column('partners', 'delivery')
