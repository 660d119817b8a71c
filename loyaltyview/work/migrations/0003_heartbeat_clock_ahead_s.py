from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("work", "0002_periodicrun")]

    operations = [
        migrations.AddField(
            model_name="heartbeat",
            name="clock_ahead_s",
            field=models.BigIntegerField(default=0),
        ),
    ]
