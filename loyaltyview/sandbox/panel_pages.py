"""The panel's files and its JSON API under `/app/`. Every action answers `{"message": ..., "state": ...}`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import Json, answer, faults, problem, read_json
from loyaltyview.sandbox.associate_app import AppError, Applied
from loyaltyview.sandbox.state import panel_state
from loyaltyview.sandbox.switches import MINUTES, set_switch, take_vendor_step

if TYPE_CHECKING:
    from loyaltyview.sandbox.app import Sandbox

PANEL = Path(__file__).parent / "panel"
MIMETYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

_FIELDS = {
    "log-in": {"associate": "string*"},
    "log-out": {},
    "cart": {"customer": "string", "cart": "string"},
    "launch": {},
    "profile": {},
    "switch": {"name": "string*", "value": "string|boolean|number*"},
    "clock": {"minutes": "number*"},
    "vendor-step": {"name": "string*"},
    "close": {},
    "apply": {"deeplink": "string*"},
    "remove": {"code": "string*"},
    "pay": {"hand_over": "boolean"},
    "hand-over": {},
    "return": {"items": "array"},
    "cancel": {},
    "receipt": {"order": "string*"},
    "send-again": {"number": "number*"},
    "stream": {"id": "string*", "running": "boolean*"},
}


class PanelPages:
    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox

    def index(self, request: Request) -> Response:
        return self.file(request, "index.html")

    def icon(self, request: Request) -> Response:
        return Response(status=204)

    def file(self, request: Request, name: str) -> Response:
        path = PANEL / name
        if path.parent != PANEL or not path.is_file():
            raise NotFound
        response = Response(path.read_bytes(), mimetype=MIMETYPES[path.suffix])
        response.headers["Cache-Control"] = "no-store"
        response.headers["Content-Security-Policy"] = self._policy()
        return response

    def _policy(self) -> str:
        launch = urlsplit(self._sandbox.config.loyalty_url)
        direct = f"{launch.scheme}://{launch.netloc}" if launch.netloc else "'none'"
        framed = self._sandbox.webview_url or direct
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
            f"frame-src {framed}; base-uri 'none'; form-action 'none'"
        )

    def state(self, request: Request) -> Response:
        return answer(panel_state(self._sandbox))

    def act(self, request: Request, action: str) -> Response:
        """One step of the app: 404 for an unknown step, 400 for wrong fields, 409 with the app's message."""
        if action not in _FIELDS:
            raise NotFound
        body = read_json(request)
        if found := faults(body, _FIELDS[action]):
            raise problem(400, "invalid action", found)
        try:
            message = self._perform(action, body)
        except AppError as error:
            return answer({"message": str(error), "state": panel_state(self._sandbox)}, 409)
        return answer({"message": message, "state": panel_state(self._sandbox)})

    def _perform(self, action: str, body: Json) -> str:
        app = self._sandbox.app
        match action:
            case "log-in":
                return app.log_in(body["associate"])
            case "apply":
                return _outcome(app.apply(body["deeplink"]))
            case "pay":
                order = app.pay(hand_over=body.get("hand_over", True))
                return f"Paid. Order {order.external_id}."
            case "return":
                app.return_items(body.get("items"))
                return "The goods are back, the refund is on its way."
            case "cancel":
                app.cancel()
                return "The order is cancelled."
            case "hand-over":
                app.hand_over()
                return "Handed over."
            case "vendor-step":
                customer = app.cart.customer if app.cart else None
                if not take_vendor_step(self._sandbox, body["name"], customer.email if customer else ""):
                    raise AppError("The vendor does not know this step, or not the customer of this cart.")
                return "Done at the vendor."
            case "switch" | "clock":
                return self._switch(action, body)
            case "send-again" | "stream":
                return self._stream(action, body)
        quiet: dict[str, Any] = {
            "log-out": app.log_out,
            "cart": lambda: app.new_cart(body.get("customer"), body.get("cart")),
            "launch": app.launch_url,
            "profile": app.launch_from_profile,
            "close": app.close_webview,
            "remove": lambda: app.remove_code(body["code"]),
            "receipt": lambda: app.show_receipt(body["order"]),
        }
        quiet[action]()
        return ""

    def _switch(self, action: str, body: Json) -> str:
        if action == "clock":
            if body["minutes"] not in MINUTES:
                raise AppError("The clock goes forward by 5, 15 or 40 minutes.")
            self._sandbox.clock.forward(body["minutes"])
            return f"NewStore's clock went {body['minutes']} minutes forward."
        if not set_switch(self._sandbox, body["name"], body["value"]):
            raise AppError("There is no such switch.")
        return ""

    def _stream(self, action: str, body: Json) -> str:
        stream = self._sandbox.stream
        try:
            if action == "send-again":
                return f"{stream.send_again(body['number']).event.name} goes out once more."
            stream.set_running(body["id"], running=body["running"])
        except LookupError as error:
            raise AppError("There is no such event or listener.") from error
        return "The event stream runs." if body["running"] else "The event stream is stopped."


def _outcome(applied: Applied) -> str:
    if applied.ignored:
        return f"Ignored: {applied.ignored}"
    words = [f"{code}: {reason}" for code, reason in applied.refused]
    if applied.codes:
        words.insert(0, f"{len(applied.codes)} {'code' if len(applied.codes) == 1 else 'codes'} applied.")
    return " ".join(words)
