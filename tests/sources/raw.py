"""A server that sends exactly the bytes it is told to, for what no proper server can be made to do."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Sequence
from typing import Any

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class RawServer:
    """Answers request n with script n, the last one from then on: bytes are sent, numbers are slept [s]."""

    def __init__(self, script: Sequence[Sequence[bytes | float]]) -> None:
        outer = self
        self.requests: list[bytes] = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                outer._serve(self.request, script)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/raw"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def _serve(self, connection: socket.socket, script: Sequence[Any]) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65_536)
            if not part:
                return
            request += part
        self.requests.append(request)
        try:
            for item in script[min(len(self.requests), len(script)) - 1]:
                if isinstance(item, bytes):
                    connection.sendall(item)
                else:
                    time.sleep(item)
        except OSError:
            return

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def whole(body: bytes, head: bytes = HEAD) -> list[bytes | float]:
    """A proper answer that closes the connection."""
    return [head + f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body]
