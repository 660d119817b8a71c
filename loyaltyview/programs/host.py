"""Programs and stores for a vendor's own admin pages (`providers.admin_pages.Host`) and its own API
(`providers.api_mounts.ApiHost`)."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest
from django.urls import reverse

from loyaltyview.ops.ratelimit import RetryAfter, allow, caller_of, is_spent
from loyaltyview.programs.models import Program, Store
from loyaltyview.programs.program_cache import program_by_slug
from providers.admin_pages import HostStore
from providers.base import LoyaltyProvider

# Each returns the product ids that its app has seen lately in a program of this slug.
_product_readers: dict[str, Callable[[str], Iterable[str]]] = {}


def add_product_reader(name: str, read: Callable[[str], Iterable[str]]) -> None:
    """Add a source of product ids: the apps that store orders and carts lie above this one."""
    _product_readers[name] = read


class ProgramsHost:
    """Stateless; one for all pages."""

    def may_change(self, user: Any) -> bool:
        return bool(user.has_perm("programs.change_program"))

    def provider(self, program: str) -> LoyaltyProvider | None:
        found = Program.objects.filter(slug=program).first()
        return found.provider() if found else None

    def active_provider(self, program: str) -> LoyaltyProvider | None:
        found = program_by_slug(program)
        return found.provider() if found and found.is_active else None

    def caller_of(self, request: HttpRequest) -> str:
        return caller_of(request)

    def wait_s(self, scope: str, key: str, limit: int, per_s: int) -> int:
        return _seconds(allow(scope, key, limit, per_s))

    def wait_s_uncounted(self, scope: str, key: str, limit: int, per_s: int) -> int:
        return _seconds(is_spent(scope, key, limit, per_s))

    def program_url(self, program: str) -> str:
        found = Program.objects.only("pk").get(slug=program)
        return reverse("admin:programs_program_change", args=[found.pk])

    def webhook_path(self, program: str) -> str:
        # The address is that of docs/architecture.md 7; its view lies above this app, so it is not looked up
        # by name.
        secret = Program.objects.get(slug=program).provider_webhook_secret
        return f"/events/{quote(program)}/provider/{quote(secret, safe='')}/" if secret else ""

    def stores(self, program: str) -> tuple[HostStore, ...]:
        return tuple(
            HostStore(store_id=store.store_id, name=store.name, provider_store=store.provider_store)
            for store in Store.objects.filter(program__slug=program).order_by("name", "store_id")
        )

    def sold_products(self, program: str) -> frozenset[str]:
        found = {product for read in _product_readers.values() for product in read(program)}
        return frozenset(found - {""})

    def map_store(self, program: str, store_id: str, provider_store: str) -> bool:
        rows = Store.objects.filter(program__slug=program, store_id=store_id)
        return rows.update(provider_store=provider_store) == 1


def _seconds(wait: RetryAfter | None) -> int:
    return wait.seconds if wait else 0
