"""A program's Pongo page in admin: the connection, the mapping of its stores to ours, its webhooks, and
rewards that have waited too long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from providers import clock
from providers.admin_pages import Host
from providers.errors import AuthFailed, ProviderError, Unavailable
from providers.journal.models import Write, WriteKind, WriteState
from providers.journal.states import Journal
from providers.pongo import account as accounts
from providers.pongo import merchant as merchants
from providers.pongo import webhooks
from providers.pongo.connecting import for_administrators, provider_of, write_log
from providers.pongo.models import AccountState, Subscription
from providers.pongo.products import guides
from providers.pongo.provider import PongoProvider
from providers.pongo.release import unlock, use
from providers.types import ProviderStore

T = TypeVar("T")

MOST_WAITING = 100
# A code lives for minutes; an order completes within hours, unless it is shipped.
IN_CART = timedelta(hours=1)
IN_ORDER = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """One of our stores on the page. `chosen` is preselected: the stored value, else a suggestion."""

    store_id: str
    name: str
    provider_store: str
    chosen: str

    @property
    def is_suggestion(self) -> bool:
        return bool(self.chosen) and not self.provider_store


@for_administrators
@require_safe
def home(request: HttpRequest, *, host: Host, program: str) -> HttpResponse:
    """The page itself. Asks Pongo for the merchant and its stores."""
    provider = provider_of(host, program)
    merchant, found, trouble = _ask(provider)
    account = accounts.load(
        program, provider.config.settings["base_url"]
    )  # again: asking may have shown that the token is refused
    subscribed = Subscription.objects.filter(program=program).values_list("event", flat=True)
    context = {
        **admin.site.each_context(request),
        "title": _("Pongo: %(program)s") % {"program": program},
        "program": program,
        "program_url": host.program_url(program),
        "account": account,
        "merchant": merchant,
        "needs_reconnect": account.state == AccountState.NEEDS_RECONNECT,
        "is_pasted": not account.sealed_token and bool(provider.config.settings["access_token"]),
        "trouble": trouble,
        "stores": found,
        "mappings": _mappings(host, program, found),
        "unmapped": [store.name for store in host.stores(program) if not store.provider_store],
        "subscribed": sorted(subscribed),
        "events": webhooks.EVENTS,
        "waiting": waiting(program)[:MOST_WAITING],
    }
    return render(request, "pongo/home.html", context)


@for_administrators
@require_safe
def products(request: HttpRequest, *, host: Host, program: str) -> HttpResponse:
    """Show which products each reward is for, and what to enter at Pongo. Asks Pongo for the catalogue."""
    provider = provider_of(host, program)
    sold = host.sold_products(program)
    found, trouble = _asked(lambda: guides(provider.client, provider.known, provider.config.currency, sold))
    context = {
        **admin.site.each_context(request),
        "title": _("Rewards and their products: %(program)s") % {"program": program},
        "program": program,
        "program_url": host.program_url(program),
        "trouble": trouble,
        "guides": found or (),
        "sold": len(sold),
    }
    return render(request, "pongo/products.html", context)


@for_administrators
@require_POST
def map_stores(request: HttpRequest, *, host: Host, program: str) -> HttpResponse:
    """Map each of our stores to one of Pongo's. A slug may also be typed: merchants find it in
    Pongo's back office."""
    provider_of(host, program)
    changed = []
    for store in host.stores(program):
        slug = request.POST.get(f"store:{store.store_id}", store.provider_store).strip()[:100]
        if slug != store.provider_store and host.map_store(program, store.store_id, slug):
            changed.append(store.name)
    if changed:
        write_log(request, program, f"Mapped stores: {', '.join(changed)}")
    text = ngettext("%(n)d store changed.", "%(n)d stores changed.", len(changed))
    messages.success(request, text % {"n": len(changed)})
    return redirect("pongo:home", program=program)


@for_administrators
@require_POST
def change_webhooks(request: HttpRequest, *, host: Host, program: str) -> HttpResponse:
    """Subscribe to Pongo's events, or end that."""
    provider = provider_of(host, program)
    path = host.webhook_path(program)
    try:
        if request.POST.get("do") == "unsubscribe":
            webhooks.unsubscribe(provider.client)
            done = _("Pongo sends nothing any more.")
        elif not path:
            messages.error(request, _("Set the provider's webhook secret of the program first."))
            return redirect("pongo:home", program=program)
        else:
            secret = webhooks.signing_secret(provider.config.webhook_secret)
            webhooks.subscribe(provider.client, request.build_absolute_uri(path), secret)
            done = _("Pongo sends its events from now on.")
    except ProviderError as error:
        messages.error(request, _("Pongo refused: %(detail)s.") % {"detail": error.detail})
    else:
        write_log(request, program, f"Webhooks: {request.POST.get('do', 'subscribe')}")
        messages.success(request, done)
    return redirect("pongo:home", program=program)


def waiting(program: str) -> "QuerySet[Write]":
    """Return bought or owned rewards whose code no order carried, and those of orders that were not sent."""
    now = clock.now()
    return Journal(vendor="pongo", program=program).writes(
        WriteKind.SPEND,
        Q(order_id="", noted_at__lt=now - IN_CART) | Q(noted_at__lt=now - IN_ORDER),
        state=WriteState.DONE,
        waits_for_order=True,
    )


@for_administrators
@require_POST
def settle(request: HttpRequest, *, host: Host, program: str, spending: int) -> HttpResponse:
    """Leave a reward with its customer, or tell Pongo that it was used."""
    row = get_object_or_404(waiting(program), pk=spending)
    shop = provider_of(host, program).shop
    is_used = request.POST.get("do") == "use"
    try:
        if is_used:
            use(shop, row)
        else:
            unlock(shop, row)
    except ProviderError as error:
        messages.error(request, _("Pongo refused: %(detail)s.") % {"detail": error.detail})
    else:
        write_log(request, program, f"{row.key}: {'used' if is_used else 'left with the customer'}")
        messages.success(request, _("Done."))
    return redirect("pongo:home", program=program)


def _ask(provider: PongoProvider) -> tuple[str, tuple[ProviderStore, ...], str]:
    """Return the merchant's name, Pongo's stores, and what is wrong in one sentence ("" if nothing)."""

    def ask() -> tuple[str, tuple[ProviderStore, ...]]:
        merchant = merchants.merchant_of(provider.client)[1]
        accounts.note_works(provider.config.program)
        return merchant, merchants.list_stores(provider.client)

    found, trouble = _asked(ask)
    merchant, stores = found or ("", ())
    return merchant, stores, trouble


def _asked(ask: Callable[[], T]) -> tuple[T | None, str]:
    """Return what `ask` returns, or None and what is wrong in one sentence."""
    try:
        return ask(), ""
    except AuthFailed as error:
        if error.detail == "not connected":
            return None, _("Not connected yet.")
        return None, _("Pongo does not accept our token any more: connect again.")
    except Unavailable:
        return None, _("Pongo cannot be reached right now.")
    except ProviderError:
        return None, _("Pongo gave an answer that is not understood.")


def _mappings(host: Host, program: str, found: tuple[ProviderStore, ...]) -> list[Mapping]:
    ours = host.stores(program)
    taken = {store.provider_store for store in ours}
    free = tuple(store for store in found if store.store_id not in taken)
    likely = merchants.suggest({s.store_id: s.name for s in ours if not s.provider_store}, free)
    return [
        Mapping(
            store_id=store.store_id,
            name=store.name,
            provider_store=store.provider_store,
            chosen=store.provider_store or likely.get(store.store_id, ""),
        )
        for store in ours
    ]
