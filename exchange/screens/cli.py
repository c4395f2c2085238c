"""`seamark screens`: the door for screens, a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from config.settings import ConfigError, load
from exchange.service import run_loop
from sessions.telemetry import configure_logging


def screens_command(
    config: Annotated[
        Path | None, typer.Option("--config", help="TOML settings; its instruments are shown.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0: any.")] = None,
    venue_host: Annotated[str | None, typer.Option(help="Where the venue is.")] = None,
    venue_port: Annotated[int | None, typer.Option(help="Its port.")] = None,
    comp_id: Annotated[str | None, typer.Option(help="Our CompID at the venue.")] = None,
) -> None:
    """Show the market to browsers: books, trades and tickers by WebSocket, until ctrl-C.

    It logs on to the venue as a session that reads market data, and to nothing else.
    """
    from exchange.screens.running import announce, screens, venue_of  # aiohttp takes its time

    options = {
        "host": host,
        "port": port,
        "venue_host": venue_host,
        "venue_port": venue_port,
        "comp_id": comp_id,
    }
    try:
        settings = load(config, {"screens": options})
        venue = venue_of(settings)
    except (ConfigError, OSError) as error:
        print(f"seamark: {error}", file=sys.stderr)
        raise typer.Exit(1) from error
    configure_logging()
    try:
        run_loop(screens(settings, venue, announce))
    except OSError as error:
        where = f"{settings.screens.host}:{settings.screens.port}"
        print(f"seamark: cannot listen on {where}: {error.strerror or error}", file=sys.stderr)
        raise typer.Exit(1) from error
    print("Closed.")
