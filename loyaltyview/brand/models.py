"""The files of the programs' brands, small and each in one format."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BrandFile(models.Model):
    """A logo or a typeface as pages load it. Its name begins with the SHA-256 of the content and stands in
    its address, so browsers may keep it for a year: another file has another address."""

    name = models.CharField(_("name"), max_length=100, primary_key=True)
    content = models.BinaryField(_("content"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("brand file")
        verbose_name_plural = _("brand files")

    def __str__(self) -> str:
        return self.name
