"""`seamark demo`: two clients, and all that they say."""

from __future__ import annotations

from typing import Annotated

import typer

from exchange.command_line import DictionaryFile, fail, load_dictionary
from exchange.demo import DemoError, run_demo


def demo_command(
    host: Annotated[str, typer.Option(help="Where the venue listens.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Its port.")] = 9880,
    target_comp_id: Annotated[str, typer.Option(help="Its CompID.")] = "SEAMARK",
    dictionary: DictionaryFile = None,
) -> None:
    """Let two clients trade against a running venue, and show every message decoded."""
    try:
        run_demo(host, port, target_comp_id, load_dictionary(dictionary))
    except DemoError as error:
        fail(str(error))
