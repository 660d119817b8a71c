"""Transcripts of every write to a vendor, step by step, one for each adapter.

A script is a row of writes. Some are repeated, some lose their answer or their request, and some come in an
order that a till does not intend. A transcript holds the adapter's answer to each write, and the vendor's
state after it. Other behaviour of a repeated write changes a line of a transcript.

`WRITE_TRANSCRIPTS=1 pytest -n 0 tests/providers/<vendor>/test_contract.py -k transcript` writes them again.
Read the difference: each changed line means different behaviour at the till.
"""

import dataclasses
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import time_machine
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.vendors.base import Vendor
from providers.base import LoyaltyProvider
from providers.errors import ProviderError, Rejected
from providers.sales import PointsChange, Spend, SpendFinding, SpendIntent, SpendKind
from providers.types import Cart, Member, Reward, Voucher
from tests.providers.contract import ProviderContract
from tests.providers.contract_setup import MakeOrder, erase_member, forget_old, make_intent, make_return

LONG_AFTER = timedelta(minutes=10)
# The faults that a write can have.
FAULTS = {
    "unanswered": "withholds_answers",  # done, and the answer is lost
    "lost": "loses_requests",  # not done
    "delayed": "delays_requests",  # done when the script says `late`
    "throttled": "is_throttled",  # refused for now: not done, and known to be
}

# The scripts for each kind of spend. `/*` stands for each of FAULTS, `/?` for those where it may be done.
SPENDING: tuple[str, ...] = (
    "spend spend find later find spend",
    "find spend find later spend",
    "spend/* find spend late find spend later find spend release find",
    "spend/? forget erase find later find forget erase find",
    "spend release release find spend confirm release forget erase",
    "spend confirm confirm find release release find confirm",
    "spend release/? release late release later release",
    "spend confirm release/? release late release later release",
    "spend confirm/? confirm late confirm later confirm find release",
    "spend erase forget confirm order erase later forget erase release",
    "spend confirm order cancel release release later cancel release",
    "spend confirm order order release cancel later order cancel",
    "spend another spend another spend find",
    "spend confirm full full release later full",
)
# Scripts for some adapters: they take held points with the order, or keep a bought reward for the customer.
CLOSING = (
    "spend close close confirm later close release",
    "spend confirm close/? close late close later close release",
    "spend confirm release close cancel later close",
)
KEEPING = ("spend keep keep confirm order later keep release", "spend confirm keep release find")
# For spends of which a part can be given back.
PARTS = (
    "spend part spend confirm part part part2 part2 release release find",
    "spend confirm part/? part late part later part release later release",
    "spend confirm release part release later part",
    "spend confirm part release/? part release late release later release part2",
    "spend confirm order part erase later forget erase part release",
)
# For orders that carry no spend.
ORDERS = (
    "order order smaller later order",
    "order/* order late order later order smaller",
    "order/? cancel late cancel later cancel order",
    "order/? return late return later return order return",
    "cancel order cancel later cancel order",
    "return order return later return order",
    "order return return return2 return2 full later return full",
    "order return/* return late return later return full",
    "order return full/? full late full later full return",
    "order cancel/* cancel late cancel later cancel order",
    "order return cancel return2 cancel later cancel return2",
    "order full cancel later cancel full order",
    "order/? forget erase later order forget erase",
    "order later forget return order cancel",
)


def scripts(cls: "type[TranscriptContract]") -> list[str]:
    """Return the scripts for an adapter; the first word says what is spent."""
    found: list[str] = []
    for kind in cls.transcribed:
        wanted: tuple[str, ...] = ORDERS
        if kind != "-":
            wanted = SPENDING + (CLOSING if cls.closes else ()) + (KEEPING if cls.keeps else ())
            wanted += PARTS if cls.gives_parts and kind != "voucher" else ()
        for script in wanted:
            if "/" in script and not cls.calls_a_vendor:
                continue
            faults = {"*": list(FAULTS), "?": ["unanswered", "delayed"]}.get(
                script.partition("/")[2][:1], [""]
            )
            found += [f"{kind}: {script.replace('/*', f'/{x}').replace('/?', f'/{x}')}" for x in faults]
    return found


class TranscriptContract(ProviderContract):
    # What a class says of its adapter: the kinds of spends ("-" stands for orders alone), and what it can do.
    transcribed: ClassVar[tuple[str, ...]] = ("reward", "voucher", "points", "-")
    calls_a_vendor: ClassVar[bool] = True
    gives_parts: ClassVar[bool] = True
    closes: ClassVar[bool] = False
    keeps: ClassVar[bool] = False

    @pytest.fixture
    def transcript_file(self) -> Path:
        """Where the transcripts of this class are."""
        test = Path(inspect.getfile(type(self)))
        return test.parent / "transcripts" / f"{type(self).__name__.removeprefix('Test').lower()}.txt"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "script" in metafunc.fixturenames:
            metafunc.parametrize("script", scripts(type(self)))

    @pytest.mark.once
    def test_each_write_does_what_its_transcript_says(
        self,
        provider: LoyaltyProvider,
        server: Vendor | None,
        member: Member,
        cart: Cart,
        rewards: dict[str, Reward],
        make_order: MakeOrder,
        keys: Iterator[str],
        request: pytest.FixtureRequest,
        transcript_file: Path,
        script: str,
    ) -> None:
        kind, _, words = script.partition(": ")
        intent = None
        if kind != "-":
            intent = _intent(SpendKind(kind), request, member, cart, rewards, next(keys))
        with ExitStack() as stack:
            till = Till(provider, server, intent, make_order, keys, stack)
            lines = [till.run(word) for word in words.split()]
        known = read_transcripts(transcript_file)
        if os.environ.get("WRITE_TRANSCRIPTS"):
            known = {name: known.get(name, []) for name in scripts(type(self))} | {script: lines}
            _write(transcript_file, known)
        assert lines == known.get(script), "\n".join([script, *lines])

    def test_every_transcript_belongs_to_a_script(self, transcript_file: Path) -> None:
        assert sorted(read_transcripts(transcript_file)) == sorted(scripts(type(self)))


class Till:
    """Makes the writes of one script, and reports the outcome of each."""

    def __init__(
        self,
        provider: LoyaltyProvider,
        server: Vendor | None,
        intent: SpendIntent | None,
        make_order: MakeOrder,
        keys: Iterator[str],
        stack: ExitStack,
    ) -> None:
        self.provider, self.server, self.intent = provider, server, intent
        self.make_order, self.keys, self.stack = make_order, keys, stack
        self.spend: Spend | None = None
        self.writes = 0
        self._count()
        self.member_ref = make_order().member_ref
        base = make_order(base="100.00")
        self.calls: dict[str, Callable[[], Any]] = {
            "spend": self._spend,
            "find": self._find,
            "confirm": lambda: provider.confirm(self._spent(), self._order()),
            "release": lambda: provider.release(self._spent()),
            "keep": lambda: provider.keep_with_customer(self._spent()),
            "part": lambda: provider.release_part(self._spent(), 3, "return-1"),
            "part2": lambda: provider.release_part(self._spent(), 4, "return-2"),
            "order": lambda: provider.record_order(self._order()),
            "smaller": lambda: provider.record_order(make_order(base="50.00")),
            "close": lambda: provider.close_order(self._order()),
            "cancel": lambda: provider.cancel_order(self._order()),
            "return": lambda: provider.record_return(make_return(base, "return-1", "33.00")),
            "return2": lambda: provider.record_return(make_return(base, "return-2", "33.00")),
            "full": lambda: provider.record_return(
                dataclasses.replace(make_return(base, "return-3", "34.00"), is_complete=True)
            ),
            "forget": self._forget,
            "erase": self._erase,
            "another": self._another,
            "later": self._later,
            "late": self._late,
        }

    def run(self, word: str) -> str:
        """Do what `word` says ("spend/lost"); return its line of the transcript."""
        verb, _, fault = word.partition("/")
        before = self.writes
        if fault and self.server is not None:
            plain = self.server.faults
            self.server.faults = dataclasses.replace(plain, writes_only=True, **{FAULTS[fault]: True})
        try:
            result = _said(self.calls[verb]())
        except NoSpend:
            result = "nothing is known of a spend"
        except Rejected as error:
            result = f"Rejected {error.reason}"
        except ProviderError as error:
            result = type(error).__name__
        finally:
            if fault and self.server is not None:
                self.server.faults = plain
        return f"  {word:<17} {result:<38} {self._balance()}, {self.writes - before} at the vendor"

    def _count(self) -> None:
        """Count what has an effect at the vendor. A throttled write asks for no pause: tests do not wait."""
        server = self.server
        if server is None:
            return
        respond, throttled = server.respond, server.throttled

        def counting(request: Request) -> Response:
            self.writes += not server.is_read(request)
            return respond(request)

        def throttled_shortly() -> Response:
            response = throttled()
            response.headers["Retry-After"] = "0"
            return response

        server.respond = counting  # type: ignore[method-assign]
        server.throttled = throttled_shortly  # type: ignore[method-assign]

    def _balance(self) -> str:
        try:
            balance = self.provider.get_member(self.member_ref).balance
        except Rejected as error:
            return str(error.reason)
        text = f"{balance.spendable} + {balance.pending}, {balance.reserved} held"
        if self.intent is not None and self.intent.kind is SpendKind.VOUCHER:
            listed = {voucher.voucher_id for voucher in self.provider.list_vouchers(self.member_ref)}
            text += f", voucher {'there' if self.intent.item_id in listed else 'gone'}"
        return text

    def _asked(self) -> SpendIntent:
        assert self.intent is not None, "this script spends nothing"
        return self.intent

    def _spent(self) -> Spend:
        if self.spend is None:
            raise NoSpend
        return self.spend

    def _order(self) -> Any:
        return self.make_order(base="100.00", spends=(self.spend,) if self.spend else ())

    def _spend(self) -> Spend:
        self.spend = self.provider.spend(self._asked())
        return self.spend

    def _find(self) -> SpendFinding:
        found = self.provider.find_spend(self._asked())
        self.spend = found.spend or self.spend
        return found

    def _another(self) -> None:
        """Use another key from here on, for the same item."""
        self.intent, self.spend = dataclasses.replace(self._asked(), key=next(self.keys)), None

    def _late(self) -> None:
        if self.server is not None:
            self.server.act_late()

    def _later(self) -> None:
        self.stack.enter_context(time_machine.travel(datetime.now(UTC) + LONG_AFTER))

    def _forget(self) -> None:
        """Delete all rows that may be deleted."""
        forget_old(self.provider, datetime.now(UTC) + timedelta(days=1))

    def _erase(self) -> str:
        """Erase the member, as far as that is allowed; the other steps go on with the old name."""
        erase_member(self.provider, self.member_ref, "ERASED-1")
        return "erased"


class NoSpend(Exception):
    """The script releases or confirms a spend that it does not know."""


def _intent(
    kind: SpendKind,
    request: pytest.FixtureRequest,
    member: Member,
    cart: Cart,
    rewards: dict[str, Reward],
    key: str,
) -> SpendIntent:
    if kind is SpendKind.VOUCHER:
        item: Reward | Voucher = request.getfixturevalue("voucher")
        return make_intent(key, member, cart, kind, item)
    if kind is SpendKind.REWARD:
        return make_intent(key, member, cart, kind, rewards[request.getfixturevalue("reward_id")])
    reward, span = next((each, each.points_range) for each in rewards.values() if each.points_range)
    assert span is not None
    return make_intent(key, member, cart, kind, reward, span.minimum)


def _said(result: Any) -> str:
    if isinstance(result, Spend):
        return f"spent {result.points}{', held' if result.is_held else ''}"
    if isinstance(result, SpendFinding):
        return f"{result.finding}{f', {_said(result.spend)}' if result.spend else ''}"
    if isinstance(result, PointsChange):
        return f"{result.points} points"
    return "-" if result is None else str(result)


def _write(path: Path, known: dict[str, list[str]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join("\n".join([name, *lines]) + "\n" for name, lines in known.items()))


def read_transcripts(path: Path) -> dict[str, list[str]]:
    """Return the lines of each script in a file of transcripts."""
    known: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith(" "):
            lines.append(line)
        else:
            lines = known.setdefault(line, [])
    return known


@contextmanager
def losing(server: Vendor, **faults: bool) -> Iterator[None]:
    """Let writes have these faults inside the block."""
    server.faults = dataclasses.replace(server.faults, writes_only=True, **faults)
    yield
    server.faults = dataclasses.replace(server.faults, writes_only=False, **dict.fromkeys(faults, False))
