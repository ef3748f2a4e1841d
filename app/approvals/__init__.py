"""Approvals (批复): what one side asks and the other decides about a ticket. Here 退单 and 移送."""
