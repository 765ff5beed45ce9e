"""A webhook of an operator's, for handoffs that nobody takes."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue

from tests.core.clock import SECONDS


class Receiver:
    """A webhook that answers as a test says, and keeps what it got."""

    def __init__(self) -> None:
        self.got: Queue[tuple[str, dict[str, str], bytes]] = Queue()
        self.answer: bytes | None = b"HTTP/1.1 204 No Content\r\n\r\n"  # None: none, ever
        self.ending = threading.Event()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.put((self.path, dict(self.headers), body))
                self.close_connection = True
                if receiver.answer is None:
                    receiver.ending.wait(SECONDS)
                else:
                    self.wfile.write(receiver.answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/handoffs"

    def close(self) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
