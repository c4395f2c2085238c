"""A server that takes the venue's place and has a certificate like its own, of nobody's making."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from types import TracebackType
from typing import Final, Self

_HOST: Final = "127.0.0.1"


class Impostor:
    """Listens while it is entered."""

    def __init__(self, certificate: Path) -> None:
        self.port = 0
        #: Of the first connection: what the client had against it, and "" if nothing.
        self.complaint: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, _HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        complaint = ""
        try:
            # With TLS 1.3 it returns when the client has answered that it is content.
            await writer.start_tls(self._context)
        except OSError as error:  # ssl.SSLError, which has a reason, is one
            complaint = getattr(error, "reason", None) or str(error)
        writer.transport.abort()
        if not self.complaint.done():
            self.complaint.set_result(complaint)
