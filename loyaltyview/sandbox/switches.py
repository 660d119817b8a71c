"""The panel's switches: how the app opens our page, and the faults of NewStore and of the vendor.

They are fields of `SandboxConfig` and of the vendor's `Faults`; a test may set those directly.
"""

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from loyaltyview.sandbox.answers import ApiError, Json, problem
from loyaltyview.sandbox.config import SandboxConfig
from loyaltyview.sandbox.vendors.base import Faults

if TYPE_CHECKING:
    from loyaltyview.sandbox.app import Sandbox

SLOW_S = 2.0
TIME_OUT_S = 8.0  # longer than any client waits
CHOICES: dict[str, tuple[object, ...]] = {
    "launch_shape": ("query", "injected", "fragment", "both"),
    "prices_with_tax": (False, True),
    "codes_in": ("discounts", "attribute", "both"),
    "duplicate_events": (False, True),
    "shuffle_events": (False, True),
    "lose_events": (False, True),
    "delay_events_s": (0, 5, 30),
    "data_lag_s": (0, 10, 600),
    "newstore_fault": ("none", "slow", "failing", "timing out", "throttled"),
}
VENDOR_FAULTS: dict[str, Faults] = {
    "none": Faults(),
    "slow": Faults(slow_s=4),
    "down": Faults(is_down=True),
    "throttled": Faults(is_throttled=True),
    "answer withheld": Faults(withholds_answers=True, writes_only=True),
    "request lost": Faults(loses_requests=True, writes_only=True),
}
MINUTES = (5, 15, 40)


def read_switches(sandbox: "Sandbox") -> Json:
    """Return the value of every switch; `vendor` is the kind of the vendor, empty without one."""
    config, vendor = sandbox.config, sandbox.vendor
    fault = next((name for name, faults in VENDOR_FAULTS.items() if vendor and vendor.faults == faults), "")
    return {
        **{name: getattr(config, name) for name in CHOICES},
        "vendor": vendor.kind if vendor else "",
        "vendor_fault": fault,
        "vendor_choices": [
            {"name": name, "value": getattr(vendor, name), "choices": choices}
            for name, choices in (vendor.choices if vendor else {}).items()
        ],
        "vendor_steps": vendor.steps if vendor else (),
        "minutes_ahead": int(sandbox.clock.ahead.total_seconds() // 60),
    }


def set_switch(sandbox: "Sandbox", name: str, value: object) -> bool:
    """Set one switch; return False for an unknown name or value."""
    with sandbox.lock:
        if name == "vendor_fault" and sandbox.vendor and value in VENDOR_FAULTS:
            # A copy, because a test may change single fields.
            sandbox.vendor.faults = replace(VENDOR_FAULTS[str(value)])
            return True
        if sandbox.vendor and value in sandbox.vendor.choices.get(name, ()):
            setattr(sandbox.vendor, name, value)
            return True
        if not any(choice == value and type(choice) is type(value) for choice in CHOICES.get(name, ())):
            return False
        setattr(sandbox.config, name, value)
        return True


def take_vendor_step(sandbox: "Sandbox", name: str, email: str) -> bool:
    """Have something happen to a customer at the vendor; return False for an unknown step or customer."""
    with sandbox.lock:
        if sandbox.vendor is None or name not in sandbox.vendor.steps:
            return False
        try:
            getattr(sandbox.vendor, name)(email)
        except LookupError:
            return False
        return True


def fail_as_told(config: SandboxConfig) -> None:
    """Do what the switch for NewStore says: be slow, or raise ApiError."""
    match config.newstore_fault:
        case "slow":
            time.sleep(SLOW_S)
        case "failing":
            raise problem(500, "internal error", code="internal_error")
        case "timing out":
            time.sleep(TIME_OUT_S)
            raise ApiError(504, {"message": "gateway time-out"})
        case "throttled":
            raise problem(429, "too many requests", code="too_many_requests")
