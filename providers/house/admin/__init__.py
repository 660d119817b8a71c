"""The house program in Django admin; importing it registers everything."""

from providers.house.admin import campaigns, catalogue, earning, members, occasions

__all__ = ["campaigns", "catalogue", "earning", "members", "occasions"]
