"""Benchmarks: they measure and write tables, and assert nothing.

Each is ``python -m benchmarks.<name>``; its committed results lie in ``docs/benchmarks/<name>.md``. They may import
every room; no room imports them.
"""
