from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('programs', '0012_indexes_of_lists'),
        ('redemptions', '0007_spends_of_offers'),
    ]

    operations = [
        AddIndexOnline(
            model_name='redemption',
            index=models.Index(fields=['program', 'member_ref'], name='redemption_member'),
        ),
        AddIndexOnline(
            model_name='redemption',
            index=models.Index(fields=['program', 'requested_at'], name='redemption_program'),
        ),
        AddIndexOnline(
            model_name='redemption',
            index=models.Index(fields=['store_id', 'requested_at'], name='redemption_store'),
        ),
    ]
