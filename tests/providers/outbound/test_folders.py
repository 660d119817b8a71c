"""Folders for files: resumed, compared, renamed at the end; local, and by SFTP with a pinned key."""

import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest

from providers.errors import AuthFailed, Unavailable, Unsupported
from providers.outbound import sftp
from providers.outbound.folders import Folder, LocalFolder, told_as_unavailable, upload
from providers.outbound.sftp import SftpServer, opened, read_host_key, read_private_key
from tests.providers.outbound import sftp_server
from tests.providers.outbound.sftp_server import PASSWORD, USER, Server, serving

CONTENT = b"line\n" * 2000
USER_KEY = paramiko.ECDSAKey.generate()


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[Server]:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with serving(tmp_path, USER_KEY) as server:
        yield server


@pytest.fixture
def account(server: Server) -> SftpServer:
    return SftpServer(
        host="127.0.0.1", port=server.port, user=USER, password=PASSWORD, host_key=server.host_key
    )


def private_key() -> str:
    text = io.StringIO()
    USER_KEY.write_private_key(text)
    return text.getvalue()


def check_folder(folder: Folder) -> None:
    assert folder.names() == folder.names("errors") == []
    assert folder.size("a.part") is None
    upload(folder, "a.part", CONTENT)
    folder.rename("a.part", "a.csv")
    assert (folder.names(), folder.size("a.csv")) == (["a.csv"], len(CONTENT))
    assert folder.read("a.csv") == CONTENT
    folder.write("b.csv", b"x" * 50)
    with pytest.raises(FileExistsError):
        folder.rename("b.csv", "a.csv")
    folder.write("b.csv", b"short")
    assert folder.read("b.csv") == b"short"


def test_a_local_folder_keeps_files(tmp_path: Path) -> None:
    check_folder(LocalFolder(tmp_path / "acme"))


def test_other_users_of_the_machine_read_no_file(tmp_path: Path) -> None:
    folder = LocalFolder(tmp_path / "feed" / "acme")
    folder.write("a.part", CONTENT)
    folder.rename("a.part", "a.csv")
    assert (tmp_path / "feed" / "acme" / "a.csv").stat().st_mode & 0o007 == 0
    assert (tmp_path / "feed" / "acme").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize("name", ["../a.csv", "errors/../../a.csv", "/a.csv", ".."])
def test_a_name_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    folder = LocalFolder(tmp_path / "acme")
    (tmp_path / "a.csv").write_bytes(CONTENT)
    (tmp_path / "acme" / "errors").mkdir(parents=True)
    for use in (folder.read, folder.size, lambda name: folder.write(name, b"x")):
        with pytest.raises(PermissionError):
            use(name)


def test_an_sftp_folder_keeps_files(account: SftpServer) -> None:
    with opened(account) as folder:
        check_folder(folder)


@pytest.mark.parametrize(
    "there",
    [CONTENT[:3000], CONTENT, b"another" * 100, CONTENT + b"more"],
    ids=["part", "whole", "other", "more"],
)
def test_an_upload_ends_with_the_content_whatever_was_there(tmp_path: Path, there: bytes) -> None:
    folder = LocalFolder(tmp_path)
    folder.write("a.part", there)
    upload(folder, "a.part", CONTENT)
    assert folder.read("a.part") == CONTENT


def test_a_folder_that_damages_files_is_told(tmp_path: Path) -> None:
    class Damaging(LocalFolder):
        def read(self, name: str) -> bytes:
            return super().read(name)[:-1]

    with pytest.raises(Unavailable, match="whole"):
        upload(Damaging(tmp_path), "a.part", CONTENT)


def test_an_error_of_a_folder_names_no_path(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught, told_as_unavailable("folder"):
        LocalFolder(tmp_path).read("secret-name.csv")
    assert caught.value.detail == "folder: No such file or directory"


def test_a_broken_upload_goes_on_where_it_stopped(server: Server, account: SftpServer) -> None:
    server.breaks_after = 4000
    with pytest.raises(OSError), opened(account) as folder:  # noqa: PT011 - paramiko raises it bare
        upload(folder, "a.part", CONTENT)
    assert (server.folder / "a.part").stat().st_size == 4000
    with opened(account) as folder:
        upload(folder, "a.part", CONTENT)
    assert (server.folder / "a.part").read_bytes() == CONTENT


def test_a_private_key_opens_the_server(account: SftpServer) -> None:
    one_line = private_key().replace("\n", "\\n")
    with opened(replace(account, password="", private_key=one_line)) as folder:
        assert folder.names() == []


def test_another_host_key_gets_no_credentials(account: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    monkeypatch.setattr(paramiko.Transport, "auth_password", lambda *given: tried.append("password"))
    other = paramiko.ECDSAKey.generate()
    wrong = replace(account, host_key=f"{other.get_name()} {other.get_base64()}")
    with pytest.raises(AuthFailed, match="host key"), opened(wrong):
        pass
    assert tried == []


def test_refused_credentials_are_told(account: SftpServer) -> None:
    with pytest.raises(AuthFailed, match="credentials"), opened(replace(account, password="wrong")):
        pass


def test_a_silent_port_and_a_private_address_are_refused(account: SftpServer, settings: Any) -> None:
    with pytest.raises(OSError), opened(replace(account, port=1)):  # noqa: PT011
        pass
    settings.ALLOW_PRIVATE_ADDRESSES = False
    with pytest.raises(PermissionError), opened(account):
        pass


def test_without_the_library_it_says_so(account: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sftp, "find_spec", lambda name: None)
    with pytest.raises(Unsupported, match="paramiko"), opened(account):
        pass


@pytest.mark.parametrize("silent", ["check_channel_request", "check_channel_subsystem_request"])
def test_a_server_that_falls_silent_is_left(
    account: SftpServer, monkeypatch: pytest.MonkeyPatch, silent: str
) -> None:
    """It signs us in, and then never opens the channel, or never answers on it."""
    left = threading.Event()

    def wait(*given: Any) -> int:
        left.wait(20)
        return 0

    monkeypatch.setattr(sftp_server.Door, silent, wait)
    monkeypatch.setattr(sftp, "LONGEST_S", 0.3)
    with pytest.raises(Unavailable), opened(account):
        pass
    assert not left.is_set()
    left.set()


def test_a_name_that_is_not_utf8_is_told(account: SftpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paramiko.SFTPClient, "listdir_attr", lambda *given: b"caf\xe9".decode())
    with pytest.raises(OSError, match="not UTF-8"), opened(account) as folder:
        folder.names()


@pytest.mark.parametrize("key", ["host_key", "private_key"])
def test_a_key_that_cannot_be_read_is_told(account: SftpServer, key: str) -> None:
    with pytest.raises(AuthFailed, match="not a p"), opened(replace(account, **{key: "none"})):
        pass


def test_a_host_that_is_no_name_is_told(account: SftpServer) -> None:
    with pytest.raises(OSError, match="no name"), opened(replace(account, host="a..b")):
        pass


@pytest.mark.parametrize("text", ["", "ssh-ed25519", "ssh-ed25519 !!", "ssh-ed25519 AAAA", "nonsense AAAA"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="public key"):
        read_host_key(text)


def test_what_is_no_private_key_is_refused() -> None:
    with pytest.raises(ValueError, match="private key"):
        read_private_key("-----BEGIN PRIVATE KEY-----\nno\n-----END PRIVATE KEY-----")
