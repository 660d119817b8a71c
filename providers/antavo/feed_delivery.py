"""When and where daily files are put: a local folder, or an SFTP server from which Antavo imports."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings

from providers import clock
from providers.antavo.client import Client
from providers.errors import ProviderError, Unavailable
from providers.journal import batches
from providers.journal.models import Batch, BatchState
from providers.outbound.folders import Folder, LocalFolder, told_as_unavailable, upload
from providers.outbound.sftp import SftpServer, opened

UNDELIVERED = (BatchState.COLLECTED, BatchState.ARRIVING)


def next_time(client: Client) -> datetime:
    """Return when the next daily file is written."""
    zone = ZoneInfo(client.config.time_zone or "UTC")
    now = clock.now().astimezone(zone)
    at = now.replace(hour=client.settings.feed_hour, minute=0, second=0, microsecond=0)
    return at if at > now else at + timedelta(days=1)


def deliver(client: Client) -> list[str]:
    """Bring the files that are due to their place; return their names. What fails is tried again later, and
    the files after it, so that a server that hangs does not cost the worker its time for each of them."""
    delivered = []
    due = batches.files(client.journal, *UNDELIVERED).filter(due_at__lte=clock.now())
    for batch in due:
        if not batches.take(batch):
            continue
        try:
            with told_as_unavailable("feed"), folder_of(client) as folder:
                _place(folder, batch)
            delivered.append(batch.name)
        except ProviderError as error:
            batches.postpone(batch, f"{type(error).__name__}: {error.detail}")
            break
    return delivered


def _place(folder: Folder, batch: Batch) -> None:
    """Bring the file to its place, from wherever an earlier attempt ended."""
    part = f".{batch.name}.{batch.pk}.part"
    if batch.state == BatchState.COLLECTED:
        if folder.size(batch.name) is not None:
            raise FileExistsError(17, "an earlier file of this name is still there")
        upload(folder, part, batch.content.encode())
        folder.write(f"{batch.name}.sha256", f"{batch.sha256}  {batch.name}\n".encode())
        batches.move(batch, BatchState.ARRIVING)
    # It is renamed already where an attempt ended between the rename and our note of it.
    if folder.size(part) is not None:
        folder.rename(part, batch.name)
    batches.move(batch, BatchState.DELIVERED, delivered_at=clock.now(), content="")


@contextmanager
def folder_of(client: Client) -> Iterator[Folder]:
    """Yield the folder of the program's files. Raises OSError, and what `sftp.opened` raises."""
    settings = client.settings
    if settings.feed_target == "folder" and not django_settings.FEED_FOLDER:
        raise Unavailable("this installation has no FEED_FOLDER")
    if settings.feed_target == "folder":
        yield LocalFolder(Path(django_settings.FEED_FOLDER) / client.program)
        return
    server = SftpServer(
        host=settings.sftp_host,
        port=settings.sftp_port,
        user=settings.sftp_user,
        password=settings.sftp_password,
        private_key=settings.sftp_key,
        host_key=settings.sftp_host_key,
        folder=settings.sftp_folder,
    )
    with opened(server) as folder:
        yield folder
