"""Calls to other systems: the loyalty vendors and NewStore. This package is independent of any vendor.

Read in this order:

    exchange      one Call, one Answer; vendor_session repeats reads and makes writes at most once
    faults        whether the other side may have acted on a failed call
    transport     sessions whose deadline also bounds slow headers and slow bodies
    addresses     which network addresses secrets may be sent to
    deadline      how long a page may still wait
    breaker       pauses calls to a silent system
    oauth         access tokens by client credentials, kept and renewed
    budget        the calls that an account allows; budget_state counts them, budget_store keeps them
    sharing       an equal read of some seconds ago is answered without a call
    catalogues    what is the same for all members is read once for all processes, and anew behind the page
    behind        work that no page waits for
    parallel      calls that do not depend on each other run at the same time; lanes gives them threads
    folders       files for a vendor: uploads that go on, and are renamed at the end; sftp is one of them
    lenient_json  reads JSON with unusual characters
"""
