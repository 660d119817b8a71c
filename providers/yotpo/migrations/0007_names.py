"""The setting `assumed` of saved programs is called `names`, as with the other vendors."""

from django.db import migrations


def rename(apps, schema_editor, old="assumed", new="names"):
    programs = apps.get_model("programs", "Program").objects.using(schema_editor.connection.alias)
    for program in programs.filter(provider_kind="yotpo"):
        if old in program.provider_settings:
            settings = dict(program.provider_settings)
            settings[new] = settings.pop(old)
            program.provider_settings = settings
            program.save(update_fields=["provider_settings"])


def rename_back(apps, schema_editor):
    rename(apps, schema_editor, old="names", new="assumed")


class Migration(migrations.Migration):

    dependencies = [
        ("yotpo", "0006_rows_move_to_the_journal"),
        ("programs", "0009_troubles"),
    ]

    operations = [migrations.RunPython(rename, rename_back)]
