"""Associates as NewStore's staff API lists them. Source: docs/contracts/newstore.md 8.5."""

from werkzeug.wrappers import Request, Response

from loyaltyview.sandbox.answers import answer
from loyaltyview.sandbox.sample import ASSOCIATES


def search_users(request: Request) -> Response:
    """`GET /iam/users?q=&associate_id=`; `q` matches a part of the name or e-mail."""
    wanted, exact = request.args.get("q", "").casefold(), request.args.get("associate_id", "")
    elements = [
        {
            "id": associate.associate_id,
            "associate_id": associate.associate_id,
            "email": associate.email,
            "first_name": associate.first_name,
            "last_name": associate.last_name,
            "roles": [{"id": "associate", "name": "Associate"}],
            "is_active": True,
        }
        for associate in ASSOCIATES.values()
        if wanted in f"{associate.name} {associate.email}".casefold()
        and exact in ("", associate.associate_id)
    ]
    info = {"count": len(elements), "offset": 0, "total": len(elements)}
    return answer({"elements": elements, "pagination_info": info})
