"""notifications"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('notification_messages',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('hook_unit_id', sa.BigInteger(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('body', sa.LargeBinary(), nullable=False),
    sa.Column('state', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('delivered_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notification_messages'))
    )
    op.create_index('ix_notification_messages_created_at', 'notification_messages', ['created_at'], unique=False)
    op.create_index('ix_notification_messages_dead', 'notification_messages', ['hook_unit_id', 'created_at'], unique=False, postgresql_where=sa.text("state = 'dead'"))
    op.create_table('notification_hooks',
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('url', sa.Text(), nullable=False),
    sa.Column('app_id', sa.Text(), nullable=False),
    sa.Column('secrets', sa.LargeBinary(), nullable=False),
    sa.Column('networks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('quiet_from', sa.Time(), nullable=False),
    sa.Column('quiet_until', sa.Time(), nullable=False),
    sa.Column('enabled', sa.Boolean(), server_default=sa.text('true'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), server_default=sa.text('now()'), nullable=False),
    sa.ForeignKeyConstraint(['unit_id'], ['units.id'], name=op.f('fk_notification_hooks_unit_id')),
    sa.PrimaryKeyConstraint('unit_id', name=op.f('pk_notification_hooks'))
    )
    op.create_table('notification_preferences',
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('daily_digest', sa.Boolean(), nullable=False),
    sa.Column('quiet_from', sa.Time(), nullable=True),
    sa.Column('quiet_until', sa.Time(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notification_preferences_user_id')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('pk_notification_preferences'))
    )
    op.create_table('notifications',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('user_id', sa.BigInteger(), nullable=False),
    sa.Column('unit_id', sa.BigInteger(), nullable=False),
    sa.Column('business_key', sa.Text(), nullable=True),
    sa.Column('task_id', sa.Uuid(), nullable=True),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('send_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('message_id', sa.Uuid(), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notifications_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications')),
    sa.UniqueConstraint('source', 'user_id', name=op.f('uq_notifications_source_user_id')),
    postgresql_with={'fillfactor': 85}
    )
    op.create_index('ix_notifications_unread', 'notifications', ['user_id', 'id'], unique=False, postgresql_where=sa.text('read_at is null'))
    op.create_index('ix_notifications_user_id', 'notifications', ['user_id', 'id'], unique=False)
    op.create_index('ix_notifications_waiting', 'notifications', ['send_at', 'id'], unique=False, postgresql_where=sa.text('send_at is not null and message_id is null'))


def downgrade() -> None:
    op.drop_table('notifications')
    op.drop_table('notification_preferences')
    op.drop_table('notification_hooks')
    op.drop_table('notification_messages')
