"""NewStore's post-login callback: after each login the host app tells us who logged in
(docs/contracts/newstore.md 3.1)."""

import json

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import Counter

from loyaltyview.newstore.errors import IdentityError
from loyaltyview.newstore.identity import is_id, issue_identity, verify_associate
from loyaltyview.programs.models import Program

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 65_536

identities = Counter(
    "newstore_identity_total", "Identity callbacks by program and outcome.", ["program", "outcome"]
)


@csrf_exempt
@never_cache
def identity(request: HttpRequest, program: str) -> HttpResponse:
    """`{device_id, identity}` in, `{external_identity}` out; a refusal is `{error}` with 4xx or 503."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    found = Program.objects.filter(slug=program, is_active=True).first()
    if found is None:
        # Not the slug itself: a million made-up slugs would fill the metrics.
        return _refuse("unknown", "PROGRAM_UNKNOWN", 404)
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return _refuse(program, "BODY_TOO_LARGE", 413)
    login = _read_login(body)
    if login is None:
        return _refuse(program, "BODY_MALFORMED", 400)
    device_id, bearer = login
    try:
        associate = verify_associate(found, bearer, device_id)
    except IdentityError as error:
        return _refuse(program, error.code, 503 if error.code == "KEYS_UNAVAILABLE" else 401, str(error))
    identities.labels(program, "ISSUED").inc()
    log.info("identity_issued", program=program, associate=associate.associate_id, device=device_id)
    return JsonResponse({"external_identity": issue_identity(found, associate)})


def _read_login(body: bytes) -> tuple[str, str] | None:
    """Return (device id, NewStore's token) from the callback's JSON, None when it is not that."""
    try:
        login = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(login, dict):
        return None
    device_id, bearer = login.get("device_id"), login.get("identity")
    if not is_id(device_id) or not isinstance(bearer, str):
        return None
    return str(device_id), bearer


def _refuse(program: str, code: str, status: int, detail: str = "") -> JsonResponse:
    identities.labels(program, code).inc()
    log.warning("identity_refused", program=program, reason=code, detail=detail)
    return JsonResponse({"error": code}, status=status)
