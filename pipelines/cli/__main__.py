"""``python -m pipelines.cli`` is ``c360``."""

from pipelines.cli.main import main

main()
