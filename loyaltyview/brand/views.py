"""The addresses of logos and typefaces: each names its content, so browsers keep it for a year."""

from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.http import require_safe

from loyaltyview.brand.models import BrandFile

TYPES = {"webp": "image/webp", "woff2": "font/woff2"}


@require_safe
def brand_file(request: HttpRequest, name: str) -> HttpResponse:
    """Answer with a file of a brand. They are public, as the shop's own are."""
    content = BrandFile.objects.filter(name=name).values_list("content", flat=True).first()
    if content is None:
        return HttpResponseNotFound(content_type="text/plain")
    response = HttpResponse(bytes(content), content_type=TYPES[name.rpartition(".")[2]])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
