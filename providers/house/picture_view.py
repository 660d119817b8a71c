"""The address of a picture: it names the content, so browsers keep the picture for a year."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from providers.house.models import Picture


@require_safe
def picture(request: HttpRequest, digest: str) -> HttpResponse:
    """Answer with a picture of a reward. Pictures are public, as the shop's own are."""
    content = Picture.objects.filter(digest=digest).values_list("content", flat=True).first()
    if content is None:
        return HttpResponseNotFound(content_type="text/plain")
    response = HttpResponse(bytes(content), content_type="image/webp")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
