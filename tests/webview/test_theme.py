"""The host app's colours and insets: in a stylesheet of the launch, legible, and for this launch only."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from loyaltyview.programs.models import Program
from loyaltyview.webview.color import DARK_SURFACES, LIGHT_SURFACES, RATIO, contrast

from .conftest import Open, launch_params

pytestmark = pytest.mark.usefixtures("vendor")


def open_injected(client: Client, program: Program, **more: Any) -> str:
    params = launch_params(program)
    context = {
        "securityToken": params["token"],
        "externalIdentity": params["externalIdentity"],
        "contextProps": {"cart": json.loads(params["cart"])},
        **more,
    }
    return str(client.post("/launch/acme/", {"context": json.dumps(context)})["Location"])


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):([^;}]+)", css))


def test_colours_of_the_app_are_applied_after_the_programs_and_stay_legible(
    client: Client, program: Program
) -> None:
    theme = {"color": {"blue500": "#ffe14d", "green500": "#b9ffd0", "red500": "#400000", "white": "#ffffff"}}
    page = open_injected(client, program, theme=theme)
    html = client.get(page).content.decode()
    response = client.get(page + "theme.css")
    assert html.index("<style>:root{--accent:#1f5f4a") < html.index(response.content.decode())
    assert response["Content-Type"].startswith("text/css")
    light, _, dark = response.content.decode().partition("@media (prefers-color-scheme:dark)")
    for css, surfaces in ((light, LIGHT_SURFACES), (dark, DARK_SURFACES)):
        given = tokens(css)
        assert {"accent", "accent-ink", "accent-soft", "good", "good-soft", "bad", "bad-soft"} == set(given)
        for name in ("accent", "good", "bad"):
            assert all(
                contrast(given[name], on) >= RATIO
                for on in (*surfaces, given[f"{name}-soft"], given["accent-soft"])
            )
        assert contrast(given["accent-ink"], given["accent"]) >= RATIO


def test_insets_of_the_app_are_applied_but_never_less_than_the_devices(
    client: Client, program: Program
) -> None:
    dimensions = {"safeAreaInsetTop": 48, "safeAreaInsetBottom": 34}
    page = open_injected(client, program, dimensions=dimensions)
    css = client.get(page + "theme.css").content.decode()
    assert tokens(css) == {
        "inset-top": "max(env(safe-area-inset-top,0px),48px)",
        "inset-bottom": "max(env(safe-area-inset-bottom,0px),34px)",
    }


def test_an_app_that_says_nothing_changes_nothing(client: Client, open_page: Open) -> None:
    assert (
        "--inset"
        not in client.get(open_page()).content.decode().partition("</style>")[2].partition("<body")[0]
    )


def test_a_program_can_keep_its_own_colour(client: Client, program: Program) -> None:
    Program.objects.update(newstore_launch_keys={"accent": []})
    page = open_injected(client, program, theme={"color": {"blue500": "#2e5ad1", "green500": "#02a372"}})
    assert "accent" not in tokens(client.get(page + "theme.css").content.decode())


def test_the_stylesheet_of_a_launch_is_its_owners_alone(client: Client, program: Program) -> None:
    page = open_injected(client, program, dimensions={"safeAreaInsetTop": 48})
    assert Client().get(page + "theme.css").status_code == 403
