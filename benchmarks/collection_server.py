"""The web server of `collection_speed.py`: images from memory, on every address of loopback.

As little work as a server can do, so that the two processors are left to the clients:
`collection_server.py IMAGES [CERTIFICATE]` prints its port once it listens.
"""

import asyncio
import ssl
import sys
from pathlib import Path

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
GONE = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Serving(asyncio.Protocol):
    """One connection; answers as long as the client asks."""

    def __init__(self, images: dict[bytes, bytes]) -> None:
        self.images = images
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole."""
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            request, self.received = self.received[:end], self.received[end + 4 :]
            path = request.split(b" ", 2)[1]
            self.transport.write(self.images.get(path.partition(b"?")[0], GONE))
            if b"connection: close" in request.lower():
                self.transport.close()


async def serve(folder: Path, certificate: Path | None) -> None:
    """Read the images, print the port, answer until killed."""
    images = {}
    for path in folder.glob("*.jpg"):
        body = path.read_bytes()
        images[f"/{path.name}".encode()] = HEAD % len(body) + body
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Serving(images), "0.0.0.0", 0, ssl=context, backlog=1000
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
