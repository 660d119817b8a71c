"""The status of an order that earns is chosen from its platform's table; a text is for the other platforms."""

from django.db import migrations

BIGCOMMERCE = {
    name: name
    for name in (
        "completed",
        "awaitingfulfillment",
        "awaitingshipment",
        "awaitingpickup",
        "partiallyshipped",
        "shipped",
    )
}
SFCC = {"5": "COMPLETED", "0": "CREATED", "3": "NEW", "4": "OPEN"}
TABLES = {"bigcommerce": ("bigcommerce_status", BIGCOMMERCE), "sfcc": ("sfcc_status", SFCC)}


def choose(apps, schema_editor):
    """A text that is in no table stays: it is sent as before, and refused when the program is saved again."""
    programs = apps.get_model("programs", "Program").objects.using(schema_editor.connection.alias)
    for program in programs.filter(provider_kind="yotpo"):
        settings = dict(program.provider_settings)
        name, table = TABLES.get(settings.get("platform"), ("", {}))
        if settings.get("order_status") in table:
            settings[name] = table[settings.pop("order_status")]
            program.provider_settings = settings
            program.save(update_fields=["provider_settings"])


def choose_back(apps, schema_editor):
    programs = apps.get_model("programs", "Program").objects.using(schema_editor.connection.alias)
    for program in programs.filter(provider_kind="yotpo"):
        settings = dict(program.provider_settings)
        name, table = TABLES.get(settings.get("platform"), ("", {}))
        if name in settings:
            codes = {chosen: status for status, chosen in table.items()}
            settings["order_status"] = settings.get("order_status") or codes[settings.pop(name)]
            program.provider_settings = settings
            program.save(update_fields=["provider_settings"])


class Migration(migrations.Migration):

    dependencies = [("yotpo", "0007_names")]

    operations = [migrations.RunPython(choose, choose_back)]
