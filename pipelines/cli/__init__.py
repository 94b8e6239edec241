"""The command line ``c360``: one module a group of commands; every command only calls plain functions.

A wrong call or a wrong bank folder says what is wrong and what to do, exit code 2. Modules that load slowly
(Dagster, Great Expectations, Splink) are imported inside the commands that need them.
"""

from pipelines.cli.main import main

__all__ = ["main"]
