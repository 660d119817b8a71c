import providers.journal.models
from django.db import migrations, models

from providers.online_indexes import AddIndexOnline


class Migration(migrations.Migration):
    atomic = False  # PostgreSQL makes the indexes beside the tills

    dependencies = [
        ('journal', '0003_files_of_writes'),
    ]

    operations = [
        AddIndexOnline(
            model_name='batch',
            index=models.Index(fields=['name'], name='journal_batch_name'),
        ),
        AddIndexOnline(
            model_name='batch',
            index=models.Index(fields=['sha256'], name='journal_batch_sha256'),
        ),
        AddIndexOnline(
            model_name='batchline',
            index=models.Index(condition=models.Q(('refusal', ''), _negated=True), fields=['id'], name='journal_line_refused'),
        ),
        AddIndexOnline(
            model_name='write',
            index=models.Index(fields=['noted_at', 'id'], name='journal_noted'),
        ),
        AddIndexOnline(
            model_name='write',
            index=models.Index(fields=['program', 'noted_at', 'id'], name='journal_of_program'),
        ),
        AddIndexOnline(
            model_name='write',
            index=models.Index(providers.journal.models.CouponOfVendor(), name='journal_coupon'),
        ),
    ]
