"""An SFTP server on loopback: paramiko's own, with one user and one folder. It can break off an upload."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko

USER, PASSWORD = "loyaltyview", "a password"


class Door(paramiko.ServerInterface):
    def __init__(self, key: paramiko.PKey) -> None:
        self._key = key

    def check_auth_password(self, username: str, password: str) -> int:
        return self._judge(username == USER and password == PASSWORD)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._judge(username == USER and key.asbytes() == self._key.asbytes())

    def get_allowed_auths(self, username: str) -> str:
        return "password,publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    @staticmethod
    def _judge(is_right: bool) -> int:
        return paramiko.AUTH_SUCCESSFUL if is_right else paramiko.AUTH_FAILED


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.readfile.fileno()))

    def write(self, offset: int, data: bytes) -> int:
        server: Server = self.server
        if server.breaks_after is not None and offset + len(data) > server.breaks_after:
            super().write(offset, data[: max(0, server.breaks_after - offset)])
            self.writefile.flush()
            server.breaks_after = None
            return paramiko.SFTP_FAILURE
        return super().write(offset, data)


class _Files(paramiko.SFTPServerInterface):
    def __init__(self, door: Door, server: "Server") -> None:
        super().__init__(door)
        self._server = server

    def _real(self, path: str) -> Path:
        return self._server.folder / path.lstrip("/")

    def list_folder(self, path: str) -> Any:
        folder = self._real(path)
        if not folder.is_dir():
            return paramiko.SFTP_NO_SUCH_FILE
        return [paramiko.SFTPAttributes.from_stat(each.stat(), each.name) for each in folder.iterdir()]

    def stat(self, path: str) -> Any:
        real = self._real(path)
        if not real.exists():
            return paramiko.SFTP_NO_SUCH_FILE
        return paramiko.SFTPAttributes.from_stat(real.stat())

    lstat = stat

    def open(self, path: str, flags: int, attr: Any) -> Any:
        try:
            number = os.open(self._real(path), flags, 0o600)
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        handle = _Handle(flags)
        handle.server = self._server
        mode = "rb" if flags & (os.O_WRONLY | os.O_RDWR) == 0 else "r+b" if flags & os.O_RDWR else "wb"
        file = os.fdopen(number, mode)
        handle.readfile = handle.writefile = file
        return handle

    def rename(self, oldpath: str, newpath: str) -> int:
        self._real(oldpath).rename(self._real(newpath))
        return paramiko.SFTP_OK


class Server:
    """`folder` is what the user sees; `breaks_after` bytes the next upload fails, once."""

    def __init__(self, folder: Path, user_key: paramiko.PKey) -> None:
        self.folder = folder
        self.breaks_after: int | None = None
        self._host_key = paramiko.ECDSAKey.generate()
        self._door = Door(user_key)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._transports: list[paramiko.Transport] = []
        self.port: int = self._socket.getsockname()[1]

    @property
    def host_key(self) -> str:
        return f"{self._host_key.get_name()} {self._host_key.get_base64()}"

    def serve(self) -> None:
        while True:
            try:
                connection, _address = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self._host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, _Files, self)
            self._transports.append(transport)
            try:
                transport.start_server(server=self._door)
            except (paramiko.SSHException, EOFError, OSError):
                transport.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for transport in self._transports:
            transport.close()
            transport.join()


@contextmanager
def serving(folder: Path, user_key: paramiko.PKey) -> Iterator[Server]:
    server = Server(folder, user_key)
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.close()
    thread.join()
