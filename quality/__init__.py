"""IS IT TRUE: suites, gates, reconciliation and linkage metrics.

Here lives everything that judges data: expectations generated from contracts and table definitions, the gate
that keeps a wrong release from its readers, sums that must agree, and how well customers match the truth.
Nothing here changes data, knows Dagster, or writes the warehouse. Great Expectations is imported inside
functions only, because its import takes seconds.
"""
