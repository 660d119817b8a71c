from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("antavo", "0002_noted_at")]

    operations = [
        migrations.AddField(
            model_name="spendrecord",
            name="returning_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
