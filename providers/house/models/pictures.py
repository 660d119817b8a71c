"""Pictures of rewards, small and in one format."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Picture(models.Model):
    """A picture as the page shows it. `digest` is the SHA-256 of the content and stands in its address, so
    browsers may keep it for a year: another picture has another address."""

    digest = models.CharField(_("digest"), max_length=64, primary_key=True)
    content = models.BinaryField(_("content"))
    width = models.PositiveSmallIntegerField(_("width"))
    height = models.PositiveSmallIntegerField(_("height"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("picture")
        verbose_name_plural = _("pictures")

    def __str__(self) -> str:
        return self.digest[:12]
