"""A folder of an SFTP server whose key is pinned. Needs paramiko, the extra `sftp` of pyproject.toml.

No session lasts longer than LONGEST_S: paramiko waits in some places for as long as a server is silent, and
other programs wait for the same worker. An upload that is cut off goes on where it stopped.
"""

import base64
import binascii
import errno
import io
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from threading import Timer
from typing import TYPE_CHECKING, Any

from providers.errors import AuthFailed, Unavailable, Unsupported
from providers.outbound.addresses import allowed_addresses
from providers.outbound.deadline import check_calls_allowed
from providers.outbound.folders import LARGEST_BYTES, Folder

if TYPE_CHECKING:
    import paramiko

CONNECT_S = 10.0
IDLE_S = 30.0
LONGEST_S = 120.0  # shorter than a process keeps a file for itself


@dataclass(frozen=True, slots=True, kw_only=True)
class SftpServer:
    """`host_key` is the server's public key, as in a file known_hosts: "ssh-ed25519 AAAA...". `private_key`
    is a key in PEM or OpenSSH form, and comes before the password."""

    host: str
    port: int
    user: str
    host_key: str
    password: str = ""
    private_key: str = ""
    folder: str = ""


def is_installed() -> bool:
    return find_spec("paramiko") is not None


def read_host_key(text: str) -> Any:
    """Return the public key in a text; raise ValueError where there is none."""
    import paramiko

    parts = text.split()
    if len(parts) < 2:
        raise ValueError("not a public key")
    try:
        return paramiko.PKey.from_type_string(parts[0], base64.b64decode(parts[1], validate=True))
    except (paramiko.SSHException, paramiko.UnknownKeyType, binascii.Error, ValueError) as error:
        raise ValueError("not a public key") from error


def read_private_key(text: str) -> Any:
    """Return a private key without a passphrase; raise ValueError where there is none."""
    import paramiko

    # A form in admin, or a variable of the environment, keeps a text on one line.
    text = text.replace("\\n", "\n").strip() + "\n"
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise ValueError("not a private key without a passphrase")


@contextmanager
def opened(server: SftpServer) -> Iterator[Folder]:
    """Connect, and yield the server's folder. Raises Unavailable, AuthFailed for refused credentials and for
    another host key, Unsupported without paramiko."""
    check_calls_allowed()
    if not is_installed():
        raise Unsupported("sftp: paramiko is not installed")
    import paramiko

    try:
        pinned = read_host_key(server.host_key)
        private_key = read_private_key(server.private_key) if server.private_key else None
    except ValueError as error:  # settings that were cleared while files were on their way
        raise AuthFailed(f"sftp: {error}") from error
    transport = watch = None
    try:
        transport = paramiko.Transport(_connect(server.host, server.port))
        watch = Timer(LONGEST_S, transport.close)
        watch.daemon = True
        watch.start()
        transport.banner_timeout = transport.auth_timeout = CONNECT_S
        _sign_in(transport, server, pinned, private_key)
        channel = transport.open_session(timeout=CONNECT_S)
        channel.settimeout(IDLE_S)
        channel.invoke_subsystem("sftp")
        yield _SftpFolder(paramiko.SFTPClient(channel), server.folder)
    except paramiko.AuthenticationException as error:
        raise AuthFailed("sftp: the credentials are refused") from error
    except (paramiko.SSHException, EOFError) as error:
        raise Unavailable(f"sftp: {type(error).__name__}") from error
    finally:
        if watch is not None:
            watch.cancel()
        if transport is not None:
            transport.close()


def _connect(host: str, port: int) -> socket.socket:
    """Return a connection to one of the host's addresses, each of them allowed."""
    failure: OSError = OSError("no address")
    try:
        addresses = allowed_addresses(host, port)
    except UnicodeError as error:
        raise OSError(errno.EINVAL, "no name of a host") from error
    for address in addresses:
        connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        connection.settimeout(CONNECT_S)
        try:
            connection.connect((address, port))
        except OSError as error:
            connection.close()
            failure = error
        else:
            return connection
    raise failure


def _sign_in(transport: "paramiko.Transport", server: SftpServer, pinned: Any, private_key: Any) -> None:
    import paramiko

    # The server is asked for a key of this kind; another key is refused before any credential is sent.
    transport.get_security_options().key_types = _names_of(pinned, transport)
    transport.start_client(timeout=CONNECT_S)
    key = transport.get_remote_server_key()
    if key.asbytes() != pinned.asbytes():
        raise AuthFailed("sftp: the server has another host key than the pinned one")
    if private_key:
        transport.auth_publickey(server.user, private_key)
    else:
        transport.auth_password(server.user, server.password)
    if not transport.is_authenticated():
        raise paramiko.AuthenticationException("more is asked for")


def _names_of(pinned: Any, transport: "paramiko.Transport") -> list[str]:
    known = transport.get_security_options().key_types
    name = pinned.get_name()
    return [each for each in known if each == name or (name == "ssh-rsa" and each.startswith("rsa-sha2"))]


class _SftpFolder(Folder):
    def __init__(self, client: "paramiko.SFTPClient", folder: str) -> None:
        self._client = client
        self._folder = folder.rstrip("/")

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}" if self._folder else name

    def names(self, inside: str = "") -> list[str]:
        try:
            found = self._client.listdir_attr(self._path(inside) or ".")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as error:
            raise OSError(errno.EILSEQ, "the name of a file in it is not UTF-8") from error
        return sorted(each.filename for each in found if not stat.S_ISDIR(each.st_mode or 0))

    def size(self, name: str) -> int | None:
        try:
            size: int | None = self._client.stat(self._path(name)).st_size
            return size
        except FileNotFoundError:
            return None

    def read(self, name: str) -> bytes:
        with self._client.open(self._path(name), "rb") as file:
            content: bytes = file.read(LARGEST_BYTES)
            return content

    def write(self, name: str, data: bytes, offset: int = 0) -> None:
        with self._client.open(self._path(name), "r+b" if offset else "wb") as file:
            file.seek(offset)
            file.write(data)

    def rename(self, old: str, new: str) -> None:
        # Servers of protocol version 3 refuse to replace a file; some replace it all the same.
        if self.size(new) is not None:
            raise FileExistsError(errno.EEXIST, "there is a file of this name")
        self._client.rename(self._path(old), self._path(new))
