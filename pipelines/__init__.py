"""WHEN IT RUNS: the bank's configuration, the night's steps, Dagster definitions and the command line.

The only room that imports dagster, and the only one that sees all others. What a step does is a plain
function in its own room; here it is only called with the bank's settings, the home folder and a date.
"""
