"""Matters (随时事项): what may come up at any time beside the flow."""
