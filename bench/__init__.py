"""`make bench`: the platform against its floor, measured side by side in one run.

Machines differ and are loaded differently; ratios between two things measured in turn on the same machine hold.
"""
