from django.test import Client


def test_the_member_page_shows_points_tier_and_what_the_cart_earns(client: Client, page: str) -> None:
    html = client.get(page).content.decode()
    assert 'data-page="member"' in html
    assert 'data-points="820"' in html
    assert 'data-tier="Silver"' in html
    assert "Mia S." in html
    assert "180 points to Gold" in html
    assert "This cart earns 129 points" in html
