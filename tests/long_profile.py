"""A pytest plugin for `make test-full`: the hypothesis profile `full`, with many more examples.

A test that sets its own number of examples keeps it.
"""

from hypothesis import settings

settings.register_profile("full", max_examples=2000, stateful_step_count=100, deadline=None)
