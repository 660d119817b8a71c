"""Customer profiles, version 2, with the optimistic lock that NewStore requires.

Source: docs/contracts/newstore.md 7.
"""

import re
import threading
import uuid
from datetime import UTC, datetime, timedelta

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer, faults, problem, read_json, timestamp
from loyaltyview.sandbox.sample import CUSTOMERS, STORE

MAX_ROWS = 10_000

_WRITABLE = {
    "email": "string",
    "first_name": "string|null",
    "last_name": "string|null",
    "full_name": "string|null",
    "phone_number": "string|null",
    "store_id": "string|null",
    "created_by": "string|null",
    "extended_attributes": "object",
}


class ProfileBook:
    """All profiles by id; it starts with the sample customers."""

    def __init__(self, lock: threading.RLock) -> None:
        self._lock = lock
        self.profiles: dict[str, Json] = {}
        for customer in CUSTOMERS.values():
            self._add(
                customer.profile_id,
                customer.display_id,
                {
                    "email": customer.email,
                    "first_name": customer.first_name,
                    "last_name": customer.last_name,
                    "phone_number": customer.phone,
                    "store_id": STORE.store_id,
                    "created_by": "a-17",
                },
            )

    def search(self, request: Request) -> Response:
        """`q` matches a part of e-mail, full name or phone, or a whole id."""
        offset, count = _number(request, "offset", 0, 0), _number(request, "count", 10, 1)
        if count > 500:
            raise problem(400, "count must be between 1 and 500")
        if offset + count > MAX_ROWS:
            raise problem(400, f"no more than {MAX_ROWS} rows can be read")
        wanted = request.args.get("q", "").casefold()
        with self._lock:
            found = [profile for profile in self.profiles.values() if _matches(profile, wanted)]
        page = found[offset : offset + count]
        info = {"count": len(page), "offset": offset, "total": len(found)}
        return answer({"profiles": page, "pagination_info": info})

    def read(self, request: Request, profile_id: str) -> Response:
        with self._lock:
            return answer(self._get(profile_id))

    def get_or_create(self, request: Request) -> Response:
        """Always 201; an existing profile with this e-mail is returned unchanged."""
        body = read_json(request)
        _check(faults(body, {**_WRITABLE, "email": "string*"}), body)
        with self._lock:
            for profile in self.profiles.values():
                if profile["email"].casefold() == body["email"].casefold():
                    return answer(profile, 201)
            number = f"C-{100231 + len(self.profiles)}"
            return answer(self._add(f"NS-US-{uuid.uuid4().hex.upper()}", number, body), 201)

    def change(self, request: Request, profile_id: str) -> Response:
        """Needs the `updated_at` that was read; given extended attributes replace all former ones."""
        body = read_json(request)
        _check(faults(body, {**_WRITABLE, "last_updated_at": "string*"}), body)
        seen = body.pop("last_updated_at")
        with self._lock:
            profile = self._get(profile_id)
            if profile["updated_at"] != seen:
                raise problem(409, "the profile was changed in the meantime")
            # Two changes within one millisecond must differ, or the lock would miss one.
            before = datetime.fromisoformat(profile["updated_at"])
            now = max(datetime.now(UTC), before + timedelta(milliseconds=1))
            changed = {**profile, **_names(body, profile), "updated_at": timestamp(now)}
            self.profiles[profile_id] = changed
            return answer(changed)

    def _get(self, profile_id: str) -> Json:
        if profile_id not in self.profiles:
            raise problem(404, "profile not found")
        return self.profiles[profile_id]

    def _add(self, profile_id: str, display_id: str, fields: Json) -> Json:
        now = timestamp()
        empty = dict.fromkeys(
            ("first_name", "last_name", "full_name", "phone_number", "store_id", "created_by")
        )
        self.profiles[profile_id] = {
            "id": profile_id,
            "display_id": display_id,
            **empty,
            "extended_attributes": {},
            **_names(fields, {}),
            "created_at": now,
            "updated_at": now,
        }
        return self.profiles[profile_id]


def _names(fields: Json, current: Json) -> Json:
    """Return first, last and full name that agree, from the names that were given."""
    if "full_name" in fields:
        first, _, last = (fields["full_name"] or "").partition(" ")
        return {**fields, "first_name": first, "last_name": last}
    if "first_name" in fields or "last_name" in fields:
        parts = ({**current, **fields}.get(name) for name in ("first_name", "last_name"))
        return {**fields, "full_name": " ".join(part for part in parts if part)}
    return fields


def _check(found: list[str], body: Json) -> None:
    if not found and "email" in body and not re.fullmatch(r"[^@\s]+@[^@\s]+", body["email"]):
        found.append("email: not an e-mail address")
    if not found and body.get("phone_number") and not re.fullmatch(r"\+[1-9]\d{6,14}", body["phone_number"]):
        found.append("phone_number: must be E.164")
    if not found and "full_name" in body and ("first_name" in body or "last_name" in body):
        found.append("full_name: cannot stand beside first_name or last_name")
    for name, value in ({} if found else body.get("extended_attributes", {})).items():
        if not isinstance(value, dict):
            found.append(f"extended_attributes.{name}: must be object")
        elif wrong := faults(
            value, {"data_type": "string*", "value": "string*"}, f"extended_attributes.{name}."
        ):
            found += wrong
        elif value["data_type"] != "string":
            found.append(f"extended_attributes.{name}.data_type: must be string")
    if found:
        raise problem(
            400 if any("unknown" in fault or "beside" in fault for fault in found) else 422,
            "invalid profile",
            found,
        )


def _matches(profile: Json, wanted: str) -> bool:
    if wanted in (profile["id"].casefold(), profile["display_id"].casefold()):
        return True
    parts = (profile["email"], profile["full_name"], profile["phone_number"])
    return any(wanted in (part or "").casefold() for part in parts)


def _number(request: Request, name: str, default: int, least: int) -> int:
    text = request.args.get(name, str(default))
    if not text.isdecimal() or int(text) < least:
        raise problem(400, f"{name} must be a number of at least {least}")
    return int(text)
