"""`python -m app.simulator`: the simulator by itself, without loading the platform."""

import logging
from pathlib import Path

import click

from app.simulator.config import SimulatorConfig
from app.simulator.server import run


@click.command("run")
@click.option("--host", default="127.0.0.1")
@click.option("--port", default=5345)
@click.option("--platform", default="http://127.0.0.1:5000", help="12317 平台地址")
@click.option("--app-id", default="gz12345")
@click.option("--secret", envvar="SIMULATOR_SECRET", required=True)
@click.option("--province", default=None, help="只提供该省的示例，省级编码六位")
@click.option("--name", default="12345政务服务便民热线", help="平台名称")
@click.option("--journal", default=None, type=click.Path(path_type=Path))
def simulate(
    host: str,
    port: int,
    platform: str,
    app_id: str,
    secret: str,
    province: str | None,
    name: str,
    journal: Path | None,
) -> None:
    """Play a province's 12345 platform."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    config = SimulatorConfig(
        platform_url=platform,
        app_id=app_id,
        secret=secret,
        journal=journal or Path("instance") / f"simulator-{app_id}.jsonl",
        province_code=province,
        name=name,
        ticket_prefix=app_id.upper(),
    )
    run(config, host, port)


if __name__ == "__main__":
    simulate()
