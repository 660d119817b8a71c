from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('house', '0012_member_ids_that_look_alike'),
    ]

    operations = [
        AddIndexOnline(
            model_name='entry',
            index=models.Index(fields=['at', 'id'], name='house_entry_at'),
        ),
        AddIndexOnline(
            model_name='entry',
            index=models.Index(fields=['program', 'at', 'id'], name='house_entry_program'),
        ),
        AddIndexOnline(
            model_name='hold',
            index=models.Index(fields=['program', 'order_id'], name='house_hold_order'),
        ),
        AddIndexOnline(
            model_name='hold',
            index=models.Index(fields=['created_at', 'id'], name='house_hold_created'),
        ),
        AddIndexOnline(
            model_name='hold',
            index=models.Index(fields=['program', 'created_at', 'id'], name='house_hold_program'),
        ),
        AddIndexOnline(
            model_name='member',
            index=models.Index(fields=['last_name'], name='house_member_name', opclasses=['varchar_pattern_ops']),
        ),
        AddIndexOnline(
            model_name='merge',
            index=models.Index(fields=['at', 'id'], name='house_merge_at'),
        ),
        AddIndexOnline(
            model_name='merge',
            index=models.Index(fields=['actor'], name='house_merge_actor'),
        ),
        AddIndexOnline(
            model_name='referral',
            index=models.Index(fields=['entered_at', 'id'], name='house_referral_entered'),
        ),
        AddIndexOnline(
            model_name='referral',
            index=models.Index(fields=['program', 'entered_at', 'id'], name='house_referral_program'),
        ),
    ]
