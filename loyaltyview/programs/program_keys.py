"""The keys of a program file, and the field of Program that each sets."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from loyaltyview.brand.files import Made, made_logo, made_typeface

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the file and the field of Program that it sets."""

    path: Path
    field: str
    type: type = str
    is_required: bool = False
    is_secret: bool = False
    is_address: bool = False
    made_by: Callable[[bytes], Made] | None = None  # of a file beside the program file


KEYS = (
    Key(path=("slug",), field="slug", is_required=True),
    Key(path=("name",), field="name", is_required=True),
    Key(path=("is_active",), field="is_active", type=bool),
    Key(path=("currency",), field="currency", is_required=True),
    Key(path=("country",), field="country", is_required=True),
    Key(path=("time_zone",), field="time_zone"),
    Key(path=("color",), field="color"),
    Key(path=("languages",), field="languages", type=list),
    Key(path=("identity",), field="identity"),
    Key(path=("report_channels",), field="report_channels", type=list),
    Key(path=("earn_on",), field="earn_on"),
    Key(path=("return_policy",), field="return_policy"),
    Key(path=("associate_hour_limit",), field="associate_hour_limit", type=int),
    Key(path=("member_day_limit",), field="member_day_limit", type=int),
    Key(path=("codes_per_reward",), field="codes_per_reward", type=int),
    Key(path=("codes_per_cart",), field="codes_per_cart", type=int),
    Key(path=("kinds_together",), field="kinds_together", type=list),
    Key(path=("product_names",), field="product_names", type=dict),
    Key(path=("brand", "header"), field="header"),
    Key(path=("brand", "radius"), field="radius", type=int),
    Key(path=("brand", "logo"), field="logo", made_by=made_logo),
    Key(path=("brand", "logo_dark"), field="logo_dark", made_by=made_logo),
    Key(path=("brand", "typeface"), field="typeface", made_by=made_typeface),
    Key(path=("brand", "tier_colors"), field="tier_colors", type=dict),
    Key(path=("brand", "welcome"), field="welcome", type=dict),
    Key(path=("newstore", "tenant"), field="newstore_tenant", is_required=True),
    Key(path=("newstore", "api_url"), field="newstore_api_url", is_required=True, is_address=True),
    Key(path=("newstore", "identity_url"), field="newstore_identity_url", is_required=True, is_address=True),
    Key(path=("newstore", "client_id"), field="newstore_client_id", is_required=True),
    Key(path=("newstore", "client_secret"), field="newstore_client_secret", is_required=True, is_secret=True),
    Key(path=("newstore", "event_key"), field="newstore_event_key", is_required=True, is_secret=True),
    Key(path=("newstore", "event_key_previous"), field="newstore_event_key_previous", is_secret=True),
    Key(path=("newstore", "audience"), field="newstore_audience"),
    Key(path=("newstore", "loyalty_attribute"), field="loyalty_attribute"),
    Key(path=("newstore", "reward_attribute"), field="newstore_reward_attribute"),
    Key(path=("newstore", "launch_keys"), field="newstore_launch_keys", type=dict),
    Key(path=("newstore", "check_carts"), field="newstore_check_carts", type=bool),
    Key(path=("newstore", "lookup_associates"), field="newstore_lookup_associates", type=bool),
    Key(path=("newstore", "disable_codes"), field="newstore_disable_codes", type=bool),
    Key(path=("newstore", "coupon_api"), field="newstore_coupon_api", type=dict),
    Key(path=("newstore", "find_missed_events"), field="newstore_find_missed_events", type=bool),
    Key(path=("newstore", "data_query"), field="newstore_data_query", type=dict),
    Key(path=("newstore", "rate_per_s"), field="newstore_rate_per_s", type=int),
    Key(path=("provider", "kind"), field="provider_kind"),
    Key(path=("provider", "webhook_secret"), field="provider_webhook_secret", is_secret=True),
)


def dotted(path: Path) -> str:
    """Return the key as it would stand in the file: newstore.api_url, stores."Paris 8e".name."""
    return ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else json.dumps(part) for part in path)
