"""The WSGI entry point of the web servers and of the `flask` command."""

from app import cli
from app.factory import create_app

app = create_app()
cli.init_app(app)
