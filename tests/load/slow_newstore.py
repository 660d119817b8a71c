"""NewStore as `python -m tests.load.slow_newstore PORT`: tokens at once, a cart or a coupon code after 50 ms.

A thread for each connection: an event loop would round its waits up to whole milliseconds, and they would
count as ours.
"""

import json
import secrets
import socketserver
import sys
import time

ANSWERS_AFTER_S = 0.05


class Connection(socketserver.StreamRequestHandler):
    """Answers the requests of one connection, one after another."""

    disable_nagle_algorithm = True

    def handle(self) -> None:
        while request := self.rfile.readline():
            size = 0
            while (line := self.rfile.readline().lower()) not in (b"\r\n", b""):
                if line.startswith(b"content-length:"):
                    size = int(line[15:])
            self.rfile.read(size)
            body = json.dumps(self.answer(request.split()[1].decode())).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            self.wfile.write(head.encode() + body)

    def answer(self, path: str) -> object:
        if "/token" in path:
            return {"access_token": "t", "expires_in": 3600}
        time.sleep(ANSWERS_AFTER_S)
        if "/checkout/carts/" in path:
            # Without its items: nothing to compare.
            return {"id": path.partition("/checkout/carts/")[2], "currency": "USD"}
        return {"codes": [secrets.token_hex(5).upper()], "warnings": []}


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Connection).serve_forever()
