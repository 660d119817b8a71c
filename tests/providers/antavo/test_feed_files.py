"""How daily files look and arrive: columns, crashes on the way, names, SFTP, settings, the command."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import paramiko
import pytest
import time_machine
from django.core.management import call_command

from loyaltyview.programs.models import Program
from providers.antavo.provider import AntavoProvider
from providers.errors import SettingsError
from providers.journal.models import Batch, BatchState
from tests.providers.antavo.build import order
from tests.providers.antavo.conftest import MIA, Connect, Served
from tests.providers.antavo.feed_setup import clock, files, folder, lines_of, provider  # noqa: F401
from tests.providers.outbound.sftp_server import PASSWORD, USER, Server, serving

# ruff: noqa: F811


def test_columns_delimiter_and_format_follow_the_workspace(connect: Connect, folder: Path) -> None:
    columns = {"customer": "Customer ID", "store": "", "currency": ""}
    provider = connect(
        orders="feed", feed_columns=columns, feed_delimiter="semicolon", names={"store": "shop"}
    )
    provider.record_order(order())
    (name,) = provider.run_feed(everything=True).written
    header, line = (folder / name).read_text().splitlines()
    assert header == "Customer ID;action;account;transaction_id;total;amount;effective_timestamp;items"
    assert line.startswith(f"{MIA};checkout;;order-1;80;;")
    other = connect(orders="feed", feed_format="json", feed_name="{program}-{day}-{number}.json")
    other.record_order(order("order-2"))
    (name,) = other.run_feed(everything=True).written
    (event,) = json.loads((folder / name).read_text())
    assert (event["customer"], event["data"]["transaction_id"]) == (MIA, "order-2")


@pytest.mark.parametrize("crash", ["upload", "rename", "note"])
def test_a_crash_on_the_way_neither_loses_nor_doubles(
    provider: AntavoProvider, vendor: Served, folder: Path, monkeypatch: pytest.MonkeyPatch, crash: str
) -> None:
    """The process dies while it uploads, before the rename, and after it: the next run goes on there."""
    vendor.imports.folder = None
    provider.record_order(order())
    place = {
        "upload": "providers.antavo.feed_delivery.upload",
        "rename": "providers.outbound.folders.LocalFolder.rename",
        "note": "providers.antavo.feed_delivery.batches.move",
    }[crash]
    with monkeypatch.context() as patch:
        move = __import__("providers.journal.batches", fromlist=["move"]).move

        def die(*given: Any, **fields: Any) -> None:
            if crash == "note" and given[1] is not BatchState.DELIVERED:
                return move(*given, **fields)
            raise KeyboardInterrupt

        patch.setattr(place, die)
        with pytest.raises(KeyboardInterrupt):
            provider.run_feed(everything=True)
    Batch.objects.update(due_at=datetime.now(UTC))
    (name,) = provider.run_feed(everything=True).delivered
    assert files(folder) == [name, f"{name}.sha256"]
    assert len(lines_of(folder / name)) == 1
    assert Batch.objects.get().content == ""


def test_a_file_of_the_same_name_is_never_replaced(
    connect: Connect, folder: Path, clock: time_machine.Traveller
) -> None:
    provider = connect(orders="feed", feed_name="purchases.csv")
    provider.record_order(order("order-1"))
    assert provider.run_feed(everything=True).delivered == ["purchases.csv"]
    provider.record_order(order("order-2"))
    assert provider.run_feed(everything=True).delivered == []
    assert [line["transaction_id"] for line in lines_of(folder / "purchases.csv")] == ["order-1"]
    clock.shift(timedelta(hours=7))
    assert [alarm.detail for alarm in provider.alarms()] == [
        "could not be delivered: Unavailable: feed: an earlier file of this name is still there"
    ]
    (folder / "purchases.csv").unlink()
    assert provider.run_feed().delivered == ["purchases.csv"]


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[Server]:
    settings.ALLOW_PRIVATE_ADDRESSES = True
    with serving(tmp_path, paramiko.ECDSAKey.generate()) as server:
        yield server


def test_a_broken_upload_by_sftp_goes_on(
    connect: Connect, server: Server, clock: time_machine.Traveller
) -> None:
    provider = connect(
        orders="feed",
        feed_target="sftp",
        sftp_host="127.0.0.1",
        sftp_port=server.port,
        sftp_user=USER,
        sftp_password=PASSWORD,
        sftp_host_key=server.host_key,
    )
    provider.record_order(order())
    server.breaks_after = 100
    run = provider.run_feed(everything=True)
    assert (len(run.written), run.delivered) == (1, [])
    (part,) = server.folder.iterdir()
    assert (part.name.startswith("."), part.stat().st_size) == (True, 100)
    clock.shift(timedelta(minutes=15))
    (name,) = provider.run_feed().delivered
    assert files(server.folder) == [name, f"{name}.sha256"]
    assert sha256((server.folder / name).read_bytes()).hexdigest() == Batch.objects.get().sha256


SFTP = {
    "feed_target": "sftp",
    "sftp_host": "files.example.test",
    "sftp_user": "acme",
    "sftp_password": "secret",
    "sftp_host_key": "ecdsa-sha2-nistp256 " + paramiko.ECDSAKey.generate().get_base64(),
}


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ({}, "feed_target"),
        ({"feed_name": "{when}.csv"}, "feed_name"),
        ({"feed_name": "../x.csv"}, "feed_name"),
        ({"feed_name": ".."}, "feed_name"),
        ({"feed_name": "{program}" * 4}, "feed_name"),
        ({"feed_name": "{number.__class__}.csv"}, "feed_name"),
        ({**SFTP, "sftp_host": ""}, "sftp_host"),
        ({**SFTP, "sftp_password": ""}, "sftp_password"),
        ({**SFTP, "sftp_host_key": "ssh-ed25519"}, "sftp_host_key"),
        ({**SFTP, "sftp_key": "no key"}, "sftp_key"),
    ],
)
def test_incomplete_settings_are_refused(connect: Connect, given: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        connect(orders="feed", **given)
    assert caught.value.key == key


def test_complete_settings_are_taken(connect: Connect) -> None:
    assert connect(orders="feed", **SFTP)


def test_a_private_server_is_refused_where_private_addresses_are(connect: Connect, settings: Any) -> None:
    settings.ALLOW_PRIVATE_ADDRESSES = False
    with pytest.raises(SettingsError) as caught:
        connect(orders="feed", **{**SFTP, "sftp_host": "127.1"})
    assert caught.value.key == "sftp_host"


def test_the_command_writes_all_that_waits(program: Program, provider: AntavoProvider) -> None:
    program.provider_kind = "antavo"
    program.provider_settings = dict(provider.config.settings)
    program.save()
    provider.record_order(order())
    out = StringIO()
    call_command("antavo_feed", "--due", stdout=out)
    assert out.getvalue() == "acme: written nothing; delivered nothing; 0 lines seen at Antavo, 0 refused\n"
    call_command("antavo_feed", stdout=out)
    name = Batch.objects.get().name
    assert out.getvalue().splitlines()[1].startswith(f"acme: written {name}; delivered {name};")
