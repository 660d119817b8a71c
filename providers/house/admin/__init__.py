"""The house program in Django admin; importing it registers everything."""

from providers.house.admin import catalogue, earning, members

__all__ = ["catalogue", "earning", "members"]
