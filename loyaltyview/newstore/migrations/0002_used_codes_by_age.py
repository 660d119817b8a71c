from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('newstore', '0001_initial'),
        ('programs', '0012_indexes_of_lists'),
    ]

    operations = [
        AddIndexOnline(
            model_name='usedcode',
            index=models.Index(fields=['created_at'], name='used_code_created'),
        ),
    ]
