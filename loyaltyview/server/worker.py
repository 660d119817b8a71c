"""gunicorn's worker of threads, whose threads never wait for a client.

gunicorn's own worker gives each connection to a thread, which then reads: 33 connections that send half a
request stop 32 threads. Here the event loop reads a request until it is complete, and only then a thread
handles it. The loop also sends the rest of an answer. A connection costs memory and no thread, and a slow one
is closed. `providers.outbound.lanes` chooses who gets a thread next: no program can take all of them. An
answer whose rest waits for a vendor gives its thread back. See decisions 0016 and 0054.
"""

import math
import selectors
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from gunicorn.http import wsgi
from gunicorn.workers.gthread import ThreadWorker

from loyaltyview.ops.overload import API, BUSY, EVENTS, LINE_TOO_LONG, Waiting, lane_of
from loyaltyview.server.connection import Answer, Connection
from loyaltyview.server.request_buffer import HeadTooLarge
from providers.outbound.lanes import Lanes
from providers.outbound.thread_caches import with_caches_of_thread

RECEIVE_BYTES = 65_536
ACCEPTED_AT_ONCE = 64
# The most memory for all requests that are not answered and all answers that are not read.
HELD_BYTES = 64 * 1024 * 1024
# The largest event, with room for the lines between chunks. A larger body is refused by its first part.
BODY_BYTES = settings.EVENT_MAX_BYTES * 5 // 4 + 65_536
PROBE = "/healthz"

# The states of a connection, and how many seconds each may last. A request must be complete within READING of
# its first byte. It waits for a thread at most QUEUED, then the answer says that we are busy.
IDLE, READING, QUEUED, BUSY_STATE, WRITING, CLOSING = (
    "idle",
    "reading",
    "queued",
    "busy",
    "writing",
    "closing",
)
SECONDS = {IDLE: 5.0, READING: 8.0, QUEUED: settings.THREAD_WAIT_S, WRITING: 60.0, CLOSING: 2.0}
# When there are too many connections, those in these states are closed, the oldest first.
DISPENSABLE = (CLOSING, IDLE, READING, WRITING)

TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
HEAD_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
)


class BufferedThreadWorker(ThreadWorker):  # type: ignore[misc]
    """The worker class of `loyaltyview/gunicorn.py`. All runs in the event loop's thread, except `handle` and
    what stands under "In a thread"."""

    alive: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.turns: Lanes[Connection] = Lanes(
            self.cfg.threads,
            reserve=self.cfg.threads // 8,
            privileged=frozenset({EVENTS}),
            # More would not serve a web shop faster: they would share one processor with the tills.
            most={API: max(1, self.cfg.threads // 8)},
        )
        self.waiting: dict[str, dict[Connection, None]] = {state: {} for state in SECONDS}
        # Those whose answer waits for a vendor, without a thread.
        self.parked: dict[Connection, None] = {}
        self.held = 0
        self.stopped_at = 0.0

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        if cfg.is_ssl:
            raise ValueError("TLS must end in a proxy: this worker reads plain HTTP")

    def get_thread_pool(self) -> ThreadPoolExecutor:
        # Two more than there are turns: /healthz and "we are busy" never wait.
        return ThreadPoolExecutor(self.cfg.threads + 2, thread_name_prefix="web")

    # --- Connections come -------------------------------------------------------------------------

    def accept(self, listener: socket.socket) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if self.nr_conns >= self.worker_connections - 1 and not self._close_one():
                return
            try:
                sock, client = listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:  # too many open files
                self._close_one()
                return
            self.nr_conns += 1
            self._wait(Connection(self.cfg, sock, client, listener.getsockname(), BODY_BYTES), IDLE)

    def _readable(self, conn: Connection, _sock: object) -> None:
        try:
            data = conn.sock.raw.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._close(conn)
        elif conn.state != CLOSING:
            conn.incoming.received += data
            self._count(conn, conn.held + len(data))
            self._read_on(conn)
            self._make_room(READING)

    def _read_on(self, conn: Connection) -> None:
        """Hand the request to a thread when it is complete, else wait for the rest."""
        try:
            is_complete = conn.incoming.is_complete()
        except HeadTooLarge:
            self._refuse(conn, HEAD_TOO_LARGE)
        except Exception as error:
            self._refuse_bad_request(conn, error)
        else:
            if is_complete:
                self._handle_in_turn(conn)
                return
            self._wait(conn, READING)
            if conn.incoming.wants_to_continue():
                self._send(conn, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse_bad_request(self, conn: Connection, error: Exception) -> None:
        """Answer a request that is not HTTP, as gunicorn does."""
        self.handle_error(None, conn.sock, conn.client, error)
        self._send(conn, b"")
        self._linger(conn)

    # --- A thread is given to the request -----------------------------------------------------------

    def _handle_in_turn(self, conn: Connection) -> None:
        self._leave_poller(conn)
        self._move(conn, BUSY_STATE)
        conn.parser = conn.incoming.parser()
        if conn.incoming.is_line_too_long:
            conn.sock.problem = LINE_TOO_LONG
        conn.context = Context()
        path = conn.incoming.request.path
        conn.lane = None if path == PROBE else lane_of(path)
        self._take_turn(conn)

    def _take_turn(self, conn: Connection) -> None:
        if conn.lane is None or self.turns.take(conn.lane, conn):
            self._handle_now(conn)
        else:
            self._move(conn, QUEUED)

    def _handle_now(self, conn: Connection) -> None:
        self._move(conn, BUSY_STATE)
        work = partial(self._go_on, conn, conn.answer) if conn.answer else partial(self.handle, conn)
        future = self.tpool.submit(conn.context.run, with_caches_of_thread, work)
        future.add_done_callback(lambda done: self.method_queue.defer(self.finish_request, conn, done))

    def finish_request(self, conn: Connection, done: "Future[Any]") -> None:
        if conn.lane is not None:
            self.turns.done(conn.lane)
        while following := self.turns.following():
            self._handle_now(following[1])
        if conn.answer is not None and conn.sock.waits_for is not None:
            self._park(conn, conn.sock.waits_for)
            return
        is_sound = not done.cancelled() and not done.exception()
        conn.is_kept = is_sound and bool(done.result()) and not conn.incoming.is_cut
        self._write_on(conn)

    def _park(self, conn: Connection, waiting: Waiting) -> None:
        """Wait for the vendor whose answer the rest of ours needs."""
        self.parked[conn] = None
        conn.ends_at = waiting.until
        waiting.when_done(lambda: self.method_queue.defer(self._unpark, conn, waiting))

    def _unpark(self, conn: Connection, waiting: Waiting | None) -> None:
        # The time may have ended a moment before.
        if conn in self.parked and conn.sock.waits_for is waiting:
            del self.parked[conn]
            self._take_turn(conn)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """As gunicorn's, which looks once a second whether a time has ended."""
        ends_at = min((conn.ends_at for conn in self.parked), default=math.inf)
        super().wait_for_and_dispatch_events(max(0.0, min(timeout, ends_at - time.monotonic())))

    # --- In a thread --------------------------------------------------------------------------------

    def handle_request(self, req: Any, conn: Connection) -> bool:
        """Make the answer, as gunicorn does. Return whether the connection may be kept."""
        response, environ = wsgi.create(req, conn.sock, conn.client, conn.server, self.cfg)
        environ["wsgi.multithread"] = True
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        if not self.alive or not self.cfg.keepalive:
            response.force_close()
        started = time.monotonic()
        body = self.wsgi(environ, response.start_response)
        is_kept = self._go_on(conn, Answer(response, body, environ["wsgi.file_wrapper"]))
        self.log.access(response, req, environ, timedelta(seconds=time.monotonic() - started))
        return is_kept

    def _go_on(self, conn: Connection, answer: Answer) -> bool:
        """Write what can be made now. Return whether the connection may be kept. An answer that still waits
        stays in `conn.answer`."""
        conn.answer, is_complete = None, True
        try:
            is_complete = answer.write(conn.sock)
        except OSError:
            raise
        except Exception:
            if not answer.response.headers_sent:
                raise
            # The client gets the end of the connection: a second answer would stand behind half of the first.
            self.log.exception("Error handling request")
            return False
        finally:
            if is_complete:
                answer.close()
            else:
                conn.answer = answer
        return is_complete and not answer.response.should_close()

    # --- The answer is sent -------------------------------------------------------------------------

    def _write_on(self, conn: Connection, _sock: object = None) -> None:
        try:
            is_sent = conn.sock.flush()
        except OSError:
            self._close(conn)
            return
        self._count(conn, conn.sock.kept() + len(conn.incoming.received))
        if not is_sent:
            self._wait(conn, WRITING)
            self._make_room(WRITING)
        elif not conn.is_kept:
            # If bytes of the client are left unread, the system discards our answer.
            if conn.incoming.is_cut or conn.incoming.received:
                self._linger(conn)
            else:
                self._close(conn)
        else:
            conn.sock.problem = ""
            conn.incoming.next_request()
            if conn.incoming.received:
                self._read_on(conn)
            else:
                self._wait(conn, IDLE)

    # --- Connections go ---------------------------------------------------------------------------

    def _refuse(self, conn: Connection, answer: bytes) -> None:
        self._send(conn, answer)
        self._linger(conn)

    def _send(self, conn: Connection, data: bytes) -> None:
        """Send as much as the client takes at once."""
        with suppress(OSError):
            conn.sock.sendall(data)
            conn.sock.flush()

    def _linger(self, conn: Connection) -> None:
        """Close our side, and for a moment read and drop what the client still sends."""
        with suppress(OSError):
            conn.sock.shutdown(socket.SHUT_WR)
        conn.incoming.received.clear()
        self._wait(conn, CLOSING)

    def _close(self, conn: Connection) -> None:
        self._leave_poller(conn)
        self._move(conn, "")
        self._count(conn, 0)
        self.nr_conns -= 1
        conn.sock.close()

    def _count(self, conn: Connection, held: int) -> None:
        """Note how many bytes we hold for the connection."""
        self.held += held - conn.held
        conn.held = held

    def _make_room(self, state: str) -> None:
        """Close the longest waiting connections in `state` while all connections together hold too much."""
        while self.held > HELD_BYTES and self.waiting[state]:
            self._close(next(iter(self.waiting[state])))

    def _close_one(self) -> bool:
        """Close one connection for a new one. Return False when each has a thread or waits for one."""
        for state in DISPENSABLE:
            for conn in self.waiting[state]:
                self._close(conn)
                return True
        return False

    def murder_pending(self) -> None:
        """Close connections that wait too long; the loop calls it every second and after each event."""
        now = time.monotonic()
        if not self.alive:
            self.stopped_at = self.stopped_at or now
        for state, conns in self.waiting.items():
            for conn in list(_expired(conns, now)):
                self._expire(conn, state)
        for conn in [each for each in self.parked if each.ends_at <= now]:
            self._unpark(conn, conn.sock.waits_for)
        if self.stopped_at and now > self.stopped_at + SECONDS[CLOSING]:
            for conn in list(self.waiting[IDLE]):
                self._close(conn)

    def _expire(self, conn: Connection, state: str) -> None:
        if state == QUEUED:
            if conn.lane != EVENTS and self.turns.remove(conn.lane or "", conn):
                conn.sock.problem, conn.lane = BUSY, None
                self._handle_now(conn)
        elif state == READING:
            self._refuse(conn, TIMED_OUT)
        else:
            self._close(conn)

    # --- A connection waits ------------------------------------------------------------------------

    def _wait(self, conn: Connection, state: str) -> None:
        """Wait for the client in `state`, at most for its seconds."""
        self._move(conn, state)
        events = selectors.EVENT_WRITE if state == WRITING else selectors.EVENT_READ
        if conn.events == events:
            return
        self._leave_poller(conn)
        answer = self._write_on if state == WRITING else self._readable
        self.poller.register(conn.sock.raw, events, partial(answer, conn))
        conn.events = events

    def _move(self, conn: Connection, state: str) -> None:
        if conn.state == state:
            return
        if conn.state in self.waiting:
            self.waiting[conn.state].pop(conn, None)
        conn.state = state
        if state in self.waiting:
            conn.ends_at = time.monotonic() + SECONDS[state]
            self.waiting[state][conn] = None

    def _leave_poller(self, conn: Connection) -> None:
        if conn.events:
            with suppress(KeyError, ValueError, OSError):
                self.poller.unregister(conn.sock.raw)
            conn.events = 0


def _expired(conns: dict[Connection, None], now: float) -> Any:
    """Yield the connections whose time has ended; `conns` is sorted by that time."""
    for conn in conns:
        if conn.ends_at > now:
            return
        yield conn
