from django.db import migrations, models


def store_as_requested(apps, schema_editor):
    """The state "minted" was stored by early versions only. Such a row is handled like a requested one: the
    program was never asked."""
    rows = apps.get_model("redemptions", "Redemption").objects.using(schema_editor.connection.alias)
    rows.filter(state="minted").update(state="requested")


class Migration(migrations.Migration):

    dependencies = [
        ('programs', '0009_troubles'),
        ('redemptions', '0005_cart_slot'),
    ]

    operations = [
        migrations.RunPython(store_as_requested, migrations.RunPython.noop),
        migrations.RemoveConstraint(
            model_name='redemption',
            name='one_open_spend_per_member',
        ),
        migrations.RemoveConstraint(
            model_name='redemption',
            name='no_spend_without_a_code',
        ),
        migrations.AlterField(
            model_name='redemption',
            name='state',
            field=models.CharField(choices=[('requested', 'requested'), ('uncertain', 'checking with the program'), ('spent', 'spent'), ('revealed', 'code shown'), ('used', 'used in an order'), ('settled', 'settled'), ('refused', 'refused'), ('releasing', 'giving back'), ('released', 'given back'), ('stuck', 'needs a person')], default='requested', max_length=10, verbose_name='state'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['requested', 'uncertain'])), fields=('program', 'member_ref'), name='one_open_spend_per_member'),
        ),
        migrations.AddConstraint(
            model_name='redemption',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['uncertain', 'spent', 'revealed', 'used', 'settled']), _negated=True), models.Q(('code', ''), _negated=True), _connector='OR'), name='no_spend_without_a_code'),
        ),
    ]
