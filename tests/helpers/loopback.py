"""A web server on this machine that misbehaves on request, so that downloads can be tested without a network.

A test says for each path what the server does, answer by answer; the last answer repeats. Every request is kept.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Loopback:
    """A running server. answers: path -> what to do at each request in turn. requests: (path, Range header)."""

    port: int
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str, *answers: Answer) -> str:
        """The address of `path`, after telling what happens there."""
        if answers:
            self.answers[path] = list(answers)
        return f"http://127.0.0.1:{self.port}{path}"

    def ranges(self, path: str) -> list[str | None]:
        """The Range headers of all requests for `path`, in order."""
        return [asked for requested, asked in self.requests if requested == path]


@contextlib.contextmanager
def serve() -> Iterator[Loopback]:
    """Run a server until the block ends; whatever still hangs then is let go."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            loopback.requests.append((self.path, self.headers.get("Range")))
            answers = loopback.answers.get(self.path) or [status(404)]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            with contextlib.suppress(ConnectionError):
                answer(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        # A client that goes away, or that speaks TLS, is part of the test.
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    loopback = Loopback(server.server_address[1])
    server.released = loopback.released  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        loopback.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


def status(code: int, **headers: str) -> Answer:
    """No file, only a status and headers (`Retry_After` becomes `Retry-After`)."""
    return lambda handler: _send(handler, code, headers, b"no such luck")


def redirect(target: str) -> Answer:
    """Look elsewhere."""
    return status(302, Location=target)


def whole(body: bytes) -> Answer:
    """The file as it should be; Range is ignored."""
    return lambda handler: _send(handler, 200, {}, body)


def ranged(body: bytes, cut: int | None = None) -> Answer:
    """The file, from where Range says; the connection breaks before byte `cut` of the file."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        first = int(match[1]) if match else 0
        if first >= len(body):
            _send(handler, 416, {"Content-Range": f"bytes */{len(body)}"}, b"")
            return
        headers = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"} if match else {}
        _send(handler, 206 if match else 200, headers, body[first:cut], announced=len(body) - first)
        if cut is not None:
            handler.close_connection = True

    return answer


def cut_short(body: bytes, sent: int) -> Answer:
    """Announces the whole file, sends only its beginning and hangs up; ignores Range."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, {}, body[:sent], announced=len(body))
        handler.close_connection = True

    return answer


def without_length(body: bytes) -> Answer:
    """Sends `body` without saying how long it is, and hangs up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def misplaced(body: bytes, first: int) -> Answer:
    """Answers any Range with the bytes from `first` on."""
    headers = {"Content-Range": f"bytes {first}-{len(body) - 1}/{len(body)}"}
    return lambda handler: _send(handler, 206, headers, body[first:])


def stalled(body: bytes, sent: int) -> Answer:
    """Sends the beginning and then nothing more, without hanging up."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, {}, body[:sent], announced=len(body))
        handler.wfile.flush()
        handler.server.released.wait(30)  # type: ignore[attr-defined]
        handler.close_connection = True

    return answer


def slow(body: bytes, seconds: float) -> Answer:
    """The whole file, in ten pieces over `seconds`."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _send(handler, 200, {}, b"", announced=len(body))
        step = -(-len(body) // 10)
        for begin in range(0, len(body), step):
            handler.server.released.wait(seconds / 10)  # type: ignore[attr-defined]
            handler.wfile.write(body[begin : begin + step])

    return answer


def _send(
    handler: BaseHTTPRequestHandler, code: int, headers: dict[str, str], body: bytes, announced: int | None = None
) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body) if announced is None else announced))
    handler.end_headers()
    handler.wfile.write(body)
