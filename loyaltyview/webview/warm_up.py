"""A page with an invented member, rendered before a process takes requests, so that the first page finds all
that it needs: templates, catalogues, Babel's locales, addresses, kept parts, queries, the vendors' transport.

Without it the first page takes ten times as long. No row is written and no vendor called. The reads find
nothing; they open the thread's connection to the database.
"""

from contextlib import suppress
from decimal import Decimal
from wsgiref.util import setup_testing_defaults

import structlog
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.db import DatabaseError
from django.shortcuts import render
from django.template.loader import get_template
from django.urls import reverse
from django.utils import timezone, translation

from loyaltyview.ops.encrypted import box
from loyaltyview.programs.models import Program
from loyaltyview.programs.program_cache import program_by_id
from loyaltyview.webview.languages import offered_by
from loyaltyview.webview.member_context import LastTap, Page
from loyaltyview.webview.member_data import MemberData
from loyaltyview.webview.models import Launch
from providers.outbound.exchange import Call, prepare
from providers.registry import PROVIDERS, provider_class
from providers.types import Balance, Discount, DiscountKind, Lock, LockReason, Member, Money, Reward, Voucher

log = structlog.get_logger(__name__)

NO_PROGRAM = 0
TEN = Money(amount=Decimal(10), currency="USD")
OFF = Discount(kind=DiscountKind.FIXED, amount=TEN)
MISSING = Lock(reason=LockReason.POINTS, points_gap=500)


def warm_up() -> None:
    """Render the page in each language that a program offers. Without a database less is ready, and that is
    logged."""
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        get_template(str(path.relative_to(settings.BASE_DIR / "templates")))
    for kind in PROVIDERS:
        provider_class(kind)
    prepare(("", ""), "https://localhost", Call("GET", "/"))
    box().decrypt(box().encrypt(b""))
    try:
        for language in sorted(_languages()):
            with translation.override(language):
                reverse("healthz")  # Django collects the addresses once for each language
                with suppress(Program.DoesNotExist):
                    program_by_id(NO_PROGRAM)
                _render_page()
    except DatabaseError as error:
        log.warning("not_warmed_up", error=type(error).__name__)


def _languages() -> set[str]:
    programs = Program.objects.filter(is_active=True).only("languages")
    return {settings.LANGUAGE_CODE}.union(*(offered_by(program) for program in programs))


def _render_page() -> None:
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    page = Page(WSGIRequest(environ), _launch(), LastTap())
    member = Member(ref="warm-up", member_id="warm-up", balance=Balance(spendable=500))
    rewards = (
        Reward(reward_id="1", title="", points=100, discount=OFF),
        Reward(reward_id="2", title="", points=1_000, discount=OFF, lock=MISSING),
    )
    vouchers = (Voucher(voucher_id="3", title="", discount=OFF, expires_at=timezone.now()),)
    data = MemberData(member=member, rewards=rewards, vouchers=vouchers, earn=10, trouble=None)
    render(page.request, "webview/member.html", page.member_context(data))


def _launch() -> Launch:
    """Return a launch that is in no table."""
    local = next(kind for kind in PROVIDERS if provider_class(kind).is_local)
    return Launch(
        id="warm-up",
        program=Program(id=NO_PROGRAM, slug="warm-up", name="", currency=TEN.currency, provider_kind=local),
        expires_at=timezone.now(),
        associate_id="warm-up",
        cart_id="warm-up",
        host_token="warm-up",  # noqa: S106 - no one's
        cart={"currency": TEN.currency, "total": "10.00", "items": []},
        member_ref="warm-up",
        is_customer=True,
    )
