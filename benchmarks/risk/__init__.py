"""How well defaults are told, beside others on real loans and beside the truth on the sample bank.

Measures, never asserts; needs no night.
"""
