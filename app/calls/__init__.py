"""Calls (话务): a transferred call from its arrival to the ticket it becomes."""
