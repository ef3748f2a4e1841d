"""Callbacks (回访): was the petitioner satisfied, and what follows."""
