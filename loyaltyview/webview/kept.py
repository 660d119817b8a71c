"""`{% kept %}`: a part of a page that is rendered once for everything that it shows.

    {% kept card=card expires=offer.expires_at|expiry:program %} ... {% endkept %}

The part sees the named values and nothing else: no request, member or launch. So two pages share it only when
every value in it is equal, and the language. What changes with each page or with time (a form's key, the CSRF
token, dates) stays outside or is named (docs/decisions/0053-parts-of-a-page-are-kept.md).
"""

import threading
from collections.abc import Hashable
from typing import Any

from django.template import Context, Node, NodeList, TemplateSyntaxError
from django.template.base import FilterExpression, Parser, Token, token_kwargs
from django.utils.safestring import SafeString
from django.utils.translation import get_language

# Parts in this process; a card has 2 kB. The oldest make room.
MOST_PARTS = 5_000
_parts: dict[Hashable, SafeString] = {}
_lock = threading.Lock()


class KeptNode(Node):
    def __init__(self, nodelist: NodeList, names: dict[str, FilterExpression]) -> None:
        self.nodelist, self.names = nodelist, names

    def render(self, context: Context) -> SafeString:
        values = {name: expression.resolve(context) for name, expression in self.names.items()}
        # The types too: a safe text equals a plain one, which must be escaped.
        key = (self, get_language(), context.autoescape, *((value, type(value)) for value in values.values()))
        part = _parts.get(key)
        if part is None:
            part = self.nodelist.render(context.new(values))
            _keep(key, part)
        return part


def _keep(key: Hashable, part: SafeString) -> None:
    with _lock:
        _parts[key] = part
        while len(_parts) > MOST_PARTS:
            del _parts[next(iter(_parts))]


def parse_kept(parser: Parser, token: Token) -> KeptNode:
    """Read the tag up to its `{% endkept %}`."""
    words = token.split_contents()[1:]
    names: dict[str, Any] = token_kwargs(words, parser)
    if words:
        raise TemplateSyntaxError("kept takes name=value only")
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(nodelist, names)
