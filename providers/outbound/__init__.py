"""Calls to other systems: the loyalty vendors and NewStore. Nothing here knows a vendor.

Read in this order:

    exchange      one Call, one Answer; vendor_session repeats reads and makes writes at most once
    faults        what a failed call says about what the other side may have done
    transport     sessions whose deadline also bounds slow headers and slow bodies
    addresses     which network addresses secrets may be sent to
    deadline      how long a page may still wait
    breaker       leave a silent system alone for a while
    oauth         access tokens by client credentials, kept and renewed
    budget        the calls that an account allows; budget_state counts them, budget_store keeps them
    sharing       an equal read of some seconds ago is answered without a call
    parallel      calls that do not depend on each other run at the same time; lanes gives them threads
    lenient_json  JSON with odd characters, read all the same
"""
