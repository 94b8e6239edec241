"""WHAT IT MEANS: table definitions, SQL models and pure functions over tables.

Here live the canonical staging entities, identity resolution, the customer layer, value and marts. Nothing
here reads files of a source, knows Dagster, or writes the warehouse: a model is a ``select`` or a function
over tables that somebody else hands in.
"""
