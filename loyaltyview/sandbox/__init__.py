"""A NewStore and the loyalty vendors to run against: for development and tests, never in production.

Without SANDBOX=true it is not installed, has no command and cannot be imported, and a deployment may leave
this folder out. The environment is asked and not Django's settings: `make run` imports this before it has
written any. See decision 0033.
"""

import environ

if not environ.Env().bool("SANDBOX", default=False):
    raise ImportError("loyaltyview.sandbox is for development only: set SANDBOX=true to use it.")
