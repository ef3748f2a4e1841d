"""Notifications (提醒): who is told what, in the product and by the hook for SMS and mail."""
