"""What of the sample bank's errors the pipeline repairs or sees: a controlled experiment, one class of error at a time.

Measures, never asserts; everything is done by the steps of a night.
"""
