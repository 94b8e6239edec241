"""What arrives: contracts, readers, deliveries, landing; and the sample bank's generator.

A contract (``contract``) says where a system's export lies, which objects and fields it has and which
canonical entities they fill; ``mapping`` compiles those fills to SQL. Readers turn any file or database into
raw text, deliveries decide when an export is complete, landing writes it unchanged into the lake.

The contract's language, from the outside in: ``contract`` (the door), ``contract_check`` and ``contract_reading``
(from a document to shapes, every mistake told), ``odcs`` (the standard), ``contract_shapes``, ``file_pattern``,
``problems`` (file, line, hint). The mapping's: ``expressions`` (its words), ``mapping_check``, ``mapping`` and
``mapping_values`` (the SQL), ``scope`` (paths), ``conversions`` (text to types), ``sql_expression`` (the fence).

What does not belong here: what the data means (models), whether it is true (quality), when it runs
(pipelines). This room imports none of the others; canonical columns come in as arguments.
"""
