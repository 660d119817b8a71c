"""A house program from a TOML file: tiers, earning rule with multipliers and categories, rewards with
pictures, members with opening balances, vouchers.

Applying it twice changes nothing the second time. Rows that the file does not name stay unchanged. So do
values that change after the first load: members and their balances, the stock of a reward, whether a voucher
was used.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import models, transaction

from providers.dates import first_moment, last_moment
from providers.house.codes import read_codes, store_batch
from providers.house.ledger import adjust
from providers.house.models import (
    BirthdayRule,
    Campaign,
    CampaignCode,
    Category,
    CodeBatch,
    EarnRule,
    Member,
    Multiplier,
    ReferralRule,
    Reward,
    Tier,
    Voucher,
)
from providers.house.pictures import store_picture
from providers.pictures import PictureError
from providers.texts import id_key

DISCOUNT_KEYS = {key: key for key in ("kind", "amount", "percent", "skus", "minimum")}
# The keys of each table, and the fields they set.
KEYS: dict[str, dict[str, str]] = {
    "earn": {key: key for key in ("points_per_unit", "expiry_months", "inactivity_months", "expires_on")},
    "earn.multipliers": {
        key: key
        for key in ("name", "factor", "is_active", "starts_on", "ends_on", "category", "tier", "stores")
    },
    "categories": {key: key for key in ("name", "products")},
    "tiers": {key: key for key in ("name", "threshold", "multiplier", "benefits")},
    "rewards": {
        "id": "reward_id",
        **DISCOUNT_KEYS,
        **{
            key: key
            for key in (
                "title", "description", "terms", "picture", "is_active", "cost", "points_min", "points_max",
                "points_step", "value_per_point", "tier", "stock", "limit_per_member", "starts_at", "ends_at",
            )
        },
    },
    "campaigns": {
        "id": "campaign_id",
        **DISCOUNT_KEYS,
        **{
            key: key
            for key in (
                "title", "description", "terms", "is_active", "starts_at", "ends_at", "valid_days",
                "per_member",
            )
        },
    },
    "birthday": {key: key for key in ("campaign", "days_before", "days_after", "is_active")},
    "referral": {
        key: key
        for key in (
            "is_active", "minimum", "referrer_points", "referrer_campaign", "friend_points",
            "friend_campaign", "per_year", "days_to_enter",
        )
    },
    "members": {
        "id": "member_id",
        **{
            key: key
            for key in (
                "first_name", "last_name", "email", "phone", "consent_email", "consent_sms", "birth_day",
                "birth_month", "birth_year",
            )
        },
    },
    "members.vouchers": {
        "id": "voucher_id",
        **DISCOUNT_KEYS,
        **{key: key for key in ("title", "description", "terms", "code", "expires_at")},
    },
}  # fmt: skip
# Fields that the file sets only at first; later they change by use.
ONLY_WHEN_NEW = {"members": set(KEYS["members"].values()), "rewards": {"stock"}}
OPENING = "Opening balance"


class SampleFileError(Exception):
    """The file cannot be applied; the message names the table, the entry and the key."""


def load_sample(text: str, folder: Path | None = None) -> list[str]:
    """Apply the file and return one line per change; nothing is written when a part of it is wrong. `folder`
    is where the file lies: its pictures are there, or below. Raises SampleFileError."""
    try:
        # Decimal from the digits as written: 12.50 never passes through a float.
        data = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise SampleFileError(str(error)) from error
    tables = {"earn", "categories", "tiers", "rewards", "campaigns", "birthday", "referral", "members"}
    _refuse_unknown("the file", data, {"program", "time_zone", *tables})
    program = data.get("program")
    if not isinstance(program, str) or not program:
        raise SampleFileError("program: the slug of the program is missing")
    with transaction.atomic():
        return _load(program, data, folder)


def _load(program: str, data: Mapping[str, Any], folder: Path | None) -> list[str]:
    changes: list[str] = []
    zone = _zone_in(data)
    for table, model in (("tiers", Tier), ("categories", Category)):
        for values in _tables(data, table):
            changes += _apply(model(program=program), table, values, key="name")
    tiers = {tier.name: tier for tier in Tier.objects.filter(program=program)}
    if "earn" in data:
        changes += _load_earning(program, data["earn"], tiers)
    for reward in _tables(data, "rewards"):
        name = f"rewards {reward.get('id')}"
        reward = _with_row(name, reward, "tier", tiers)
        if "picture" in reward:
            reward["picture"] = _picture(name, reward["picture"], folder)
        changes += _apply(Reward(program=program), "rewards", _with_times(name, reward, zone), key="id")
    changes += _load_campaigns(program, data, zone)
    for member in _tables(data, "members"):
        changes += _load_member(program, member, zone)
    return changes


def _load_earning(program: str, table: Any, tiers: Mapping[str, Tier]) -> list[str]:
    if not isinstance(table, Mapping):
        raise SampleFileError("earn: must be a table")
    values = {key: value for key, value in table.items() if key != "multipliers"}
    changes = _apply(EarnRule(program=program), "earn", values, key="")
    rule = EarnRule.objects.get(program=program)
    categories = {category.name: category for category in Category.objects.filter(program=program)}
    for multiplier in _tables(table, "multipliers"):
        name = f"earn.multipliers {multiplier.get('name')}"
        multiplier = _with_row(name, multiplier, "tier", tiers)
        multiplier = _with_row(name, multiplier, "category", categories)
        changes += _apply(Multiplier(rule=rule), "earn.multipliers", multiplier, key="name")
    return changes


def _load_campaigns(program: str, data: Mapping[str, Any], zone: str) -> list[str]:
    """Load the campaigns with their codes, and the rewards that use their vouchers."""
    changes: list[str] = []
    for table in _tables(data, "campaigns"):
        name = f"campaigns {table.get('id')}"
        values = {key: value for key, value in table.items() if key != "codes"}
        changes += _apply(Campaign(program=program), "campaigns", _with_times(name, values, zone), key="id")
        changes += _load_codes(name, Campaign.objects.get(program=program, campaign_id=table["id"]), table)
    campaigns = {campaign.campaign_id: campaign for campaign in Campaign.objects.filter(program=program)}
    for name, row, keys in (
        ("birthday", BirthdayRule(program=program), ["campaign"]),
        ("referral", ReferralRule(program=program), ["referrer_campaign", "friend_campaign"]),
    ):
        if name not in data:
            continue
        if not isinstance(data[name], Mapping):
            raise SampleFileError(f"{name}: must be a table")
        values = dict(data[name])
        for key in keys:
            values = _with_row(name, values, key, campaigns)
        changes += _apply(row, name, values, key="")
    return changes


def _load_codes(name: str, campaign: Campaign, table: Mapping[str, Any]) -> list[str]:
    """Store the codes that the program does not have yet."""
    codes = table.get("codes", [])
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise SampleFileError(f"{name}: codes must be a list of texts")
    known = set(CampaignCode.objects.filter(campaign=campaign).values_list("key", flat=True))
    new, refused = read_codes(
        campaign.program, "\n".join(c for c in codes if id_key(c) not in known).encode()
    )
    if refused:
        raise SampleFileError(f"{name}: {refused[0].text}: {refused[0].why}")
    if not new:
        return []
    batch = CodeBatch.objects.create(campaign=campaign, wanted=len(new), imported="\n".join(new))
    store_batch(batch.pk)
    return [f"{name}: {len(new)} codes stored"]


def _with_row(
    name: str, values: Mapping[str, Any], key: str, rows: Mapping[str, models.Model]
) -> dict[str, Any]:
    """Return `values` with the row that `key` names in place of its name."""
    if key not in values:
        return dict(values)
    if values[key] not in rows:
        raise SampleFileError(f"{name}: there is no {key} {values[key]}")
    return {**values, key: rows[values[key]]}


def _picture(name: str, path: Any, folder: Path | None) -> models.Model:
    """Return the picture in the file `path`, which lies beside the program file or below it."""
    if not isinstance(path, str) or folder is None:
        raise SampleFileError(f"{name}: picture must be the path of a file beside this one")
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()):
        raise SampleFileError(f"{name}: {path} does not lie beside this file")
    try:
        return store_picture(file.read_bytes())
    except OSError as error:
        raise SampleFileError(f"{name}: {path} cannot be read: {error.strerror}") from error
    except PictureError as error:
        raise SampleFileError(f"{name}: {path}: {error}") from error


def _with_times(name: str, values: Mapping[str, Any], zone: str) -> dict[str, Any]:
    """Return `values` with each date as the first or last moment of its day in `zone`."""
    times = dict(values)
    for key, value in values.items():
        if isinstance(value, date) and not isinstance(value, datetime):
            if not zone:
                raise SampleFileError(f"{name}: {key} is a date, and the file names no time_zone")
            times[key] = first_moment(value, zone) if key == "starts_at" else last_moment(value, zone)
    return times


def _zone_in(data: Mapping[str, Any]) -> str:
    zone = data.get("time_zone", "")
    try:
        return ZoneInfo(zone).key if zone else ""
    except (TypeError, ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise SampleFileError("time_zone: must be such as Europe/Paris") from error


def _load_member(program: str, table: Mapping[str, Any], zone: str) -> list[str]:
    profile = {key: value for key, value in table.items() if key not in ("points", "vouchers")}
    changes = _apply(Member(program=program), "members", profile, key="id")
    member_id, points = profile["id"], table.get("points", 0)
    if not isinstance(points, int) or isinstance(points, bool) or points < 0:
        raise SampleFileError(f"members {member_id}: points must be a whole number")
    member = Member.objects.get(program=program, member_id=member_id)
    if points and not member.entries.filter(reference__startswith="opening:").exists():
        reference = f"opening:{member.pk}"
        adjust(program, member_id, points, reference=reference, note=OPENING, tier_points=points)
        changes.append(f"members {member_id}: opening balance of {points} points")
    for voucher in _tables(table, "vouchers"):
        voucher = _with_times(f"members.vouchers {voucher.get('id')}", voucher, zone)
        changes += _apply(Voucher(program=program, member=member), "members.vouchers", voucher, key="id")
    return changes


def _apply(row: models.Model, table: str, values: Any, *, key: str) -> list[str]:
    """Create or update the row that `values` describe. `row` has the fields that identify it beside `key`."""
    if not isinstance(values, Mapping):
        raise SampleFileError(f"{table}: must be a table")
    name = f"{table} {values.get(key, '')}".strip()
    _refuse_unknown(name, values, set(KEYS[table]))
    if key and not values.get(key):
        raise SampleFileError(f"{table}: {key} is missing")
    fields = {KEYS[table][entry]: value for entry, value in values.items()}
    # Rows name their program, except those that belong to another row.
    owner = next(field for field in ("program", "rule") if hasattr(row, field))
    identity = {owner: getattr(row, owner)}
    if key:
        identity[KEYS[table][key]] = values[key]
    known = type(row)._default_manager.filter(**identity).first()
    if known:
        row = known
        kept = ONLY_WHEN_NEW.get(table, set())
        fields = {field: value for field, value in fields.items() if field not in kept}
    changed = [field for field, value in fields.items() if _set(row, name, field, value)]
    if known and not changed:
        return []
    try:
        row.full_clean()
    except ValidationError as error:
        raise SampleFileError(f"{name}: {'; '.join(error.messages)}") from error
    row.save()
    return [f"{name}: {', '.join(changed)} changed" if known else f"{name}: created"]


def _set(row: models.Model, name: str, field_name: str, value: Any) -> bool:
    """Set one field, converted to its type; return whether that changed it."""
    field = row._meta.get_field(field_name)
    if isinstance(field, models.ForeignKey):
        is_fitting, new = True, value
    elif isinstance(field, models.DateTimeField):
        is_fitting, new = isinstance(value, datetime) and value.tzinfo is not None, value
    elif isinstance(field, models.DateField):
        is_fitting, new = isinstance(value, date) and not isinstance(value, datetime), value
    elif isinstance(field, models.BooleanField):
        is_fitting, new = isinstance(value, bool), value
    elif isinstance(field, models.DecimalField):
        is_fitting = isinstance(value, int | Decimal) and not isinstance(value, bool)
        new = Decimal(value) if is_fitting else value
    elif isinstance(field, models.IntegerField):
        is_fitting, new = isinstance(value, int) and not isinstance(value, bool), value
    elif isinstance(field, models.JSONField):
        is_fitting, new = isinstance(value, list), value
    else:
        is_fitting, new = isinstance(value, str), value
    if not is_fitting:
        raise SampleFileError(f"{name}: {field_name} has the wrong type")
    old = getattr(row, field_name, None)
    setattr(row, field_name, new)
    return bool(old != new)


def _tables(data: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    tables = data.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise SampleFileError(f"{key}: must be a list of tables, written [[{key}]]")
    return tables


def _refuse_unknown(name: str, values: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(set(values) - known)
    if unknown:
        raise SampleFileError(f"{name}: unknown key {', '.join(unknown)}")
