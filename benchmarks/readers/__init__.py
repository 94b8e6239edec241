"""What readers see while nights publish and operators roll back: every query of many processes, judged.

Measures, never asserts; the nights are run by the command line, as an operator's are.
"""
