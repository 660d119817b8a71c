from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the index beside the tills

    dependencies = [
        ('redemptions', '0008_indexes_of_lists'),
    ]

    operations = [
        AddIndexOnline(
            model_name='redemption',
            index=models.Index(fields=['program', 'member_ref', 'requested_at'], name='redemption_of_member'),
        ),
        migrations.RemoveIndex(model_name='redemption', name='redemption_member'),
    ]
