"""The WSGI entry point of the web servers and of the `flask` command."""

import gc

from app import cli
from app.factory import create_app

app = create_app()
cli.init_app(app)

# What start-up has built lives as long as the process: the collector need not look at it again,
# and a request's rows die without it. Measured: docs/performance.md.
gc.collect()
gc.freeze()
gc.set_threshold(50_000, 20, 50)
