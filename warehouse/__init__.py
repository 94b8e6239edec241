"""WHERE IT LIVES: the Parquet lake, the DuckDB engine, the release, the dictionary, the audit log.

Nothing here decides what a table means (models), whether it is true (quality) or when it is made (pipelines).
"""
