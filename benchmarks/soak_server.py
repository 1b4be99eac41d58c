"""The web at its worst, on twenty addresses of loopback: the server of `soak.py`.

What it answers is told by the address: one of the kinds of `soak_kinds.py`. It prints its port once
it listens, and serves until killed.
"""

import asyncio
import socket
import struct
from typing import ClassVar

from soak_kinds import CLOSED_FOLDER, KINDS, SILENT_ON_RULES

ROBOTS = b"User-agent: *\n# " + b"x" * 5000 + b"\n", b"Disallow: /closed/\n"


class Serving(asyncio.Protocol):
    """One connection; answers one request after the other."""

    once: ClassVar[set[str]] = set()
    """Addresses that have failed already, and shall not again."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.received = b""
        self.answering: asyncio.Task[None] | None = None

    def connection_lost(self, error: Exception | None) -> None:
        """Stop talking to nobody."""
        if self.answering:
            self.answering.cancel()

    def data_received(self, data: bytes) -> None:
        """Begin an answer once the request is whole; clients wait for one before the next."""
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self.path = self.received.split(b" ", 2)[1].decode()
            self.received = b""
            self.answering = asyncio.get_running_loop().create_task(self.answer())

    async def answer(self) -> None:
        """Answer what was asked."""
        host, self.port = self.transport.get_extra_info("sockname")[:2]
        if self.path == "/robots.txt":
            await self.rules(host)
            return
        _, kind, name = self.path.split("/")
        self.number = int(name.removesuffix(".jpg"))
        await KINDS[kind].answer(self)

    async def rules(self, host: str) -> None:
        """The robots.txt of a host, in two pieces."""
        if host == SILENT_ON_RULES:
            self.send(b"", status="500 Error")
        elif host in CLOSED_FOLDER:
            first, second = ROBOTS
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(first + second)
            )
            self.transport.write(first)
            await asyncio.sleep(0.02)
            self.transport.write(second)
        else:
            self.send(b"", status="404 Not Found")

    def send(self, body: bytes, *headers: str, status: str = "200 OK", length: int = -1) -> None:
        """A whole answer; `length` announces another length than the body has."""
        said = len(body) if length < 0 else length
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {said}", *headers, "", ""]
        self.transport.write("\r\n".join(lines).encode() + body)

    def end(self) -> None:
        """Close the connection once everything is sent."""
        self.transport.close()

    def reset(self) -> None:
        """Break the connection off."""
        connection: socket.socket = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


async def serve() -> None:
    """Print the port, answer until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Serving, "0.0.0.0", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve())
