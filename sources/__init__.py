"""What arrives: contracts, readers, deliveries, landing; and the sample bank's generator.

A contract (``contract``) says where a system's export lies, which objects and fields it has and which
canonical entities they fill; ``mapping`` compiles those fills to SQL. Readers turn any file or database into
raw text, deliveries decide when an export is complete, landing writes it unchanged into the lake.

What does not belong here: what the data means (models), whether it is true (quality), when it runs
(pipelines). This room imports none of the others; canonical columns come in as arguments.
"""
