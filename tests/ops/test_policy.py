"""The safety headers of every answer."""

from django.test import Client


def test_pages_may_use_the_camera_and_nothing_else(client: Client) -> None:
    policy = client.get("/healthz")["Permissions-Policy"]
    assert "camera=(self)" in policy
    assert "microphone=()" in policy
    assert "geolocation=()" in policy


def test_every_answer_carries_the_safety_headers(client: Client) -> None:
    response = client.get("/healthz")
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
