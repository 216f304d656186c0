"""`vm-allocator check --threads N`: whether concurrent calls are what the specification does.

That is: whether there is an order of the calls, one that nobody who saw them begin and end could
contradict, in which the model gives the answers that the target gave.
"""
