"""A vendor whose two reads answer after some milliseconds: `python -m tests.load.reading_vendor PORT MS`.

It speaks as Stampcard, the example vendor of the tests. Each member of a page is another one, so that no page
gets the reads of the one before. A thread for each connection: an event loop would round its waits up.
"""

import json
import socketserver
import sys
import time

POINTS = 820
# Title, price in points, amount off: some fit, some are too expensive.
REWARDS = [(f"${cents // 100} off", points, cents) for points, cents in
           ((100, 500), (200, 1000), (400, 2500), (1000, 5000), (2000, 11000))]  # fmt: skip


class Connection(socketserver.StreamRequestHandler):
    """Answers the requests of one connection, one after another."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        while request := self.rfile.readline():
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            time.sleep(self.server.answers_after_s)  # type: ignore[attr-defined]
            path = request.split()[1].decode()
            body = json.dumps(_answer(path)).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)


def _answer(path: str) -> object:
    if path.endswith("/rewards"):
        return _rewards()
    _, _, email = path.partition("?email=")
    return [_customer(email.partition("%40")[0])] if email else _customer(path)


def _customer(path: str) -> dict[str, object]:
    ref = path.rpartition("/")[2]
    return {"id": ref, "card": ref, "email": f"{ref}@example.test", "first_name": "Mia", "stamps": POINTS}


def _rewards() -> list[dict[str, object]]:
    return [
        {"id": f"r-{points}", "title": title, "stamps": points, "cents_off": cents, "currency": "USD"}
        for title, points, cents in REWARDS
    ]


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    server = Server(("127.0.0.1", int(sys.argv[1])), Connection)
    server.answers_after_s = int(sys.argv[2]) / 1000  # type: ignore[attr-defined]
    server.serve_forever()
