"""How well identity resolution does: ours and plain Splink on the same standardised records, by one evaluator.

``sets`` writes what is measured, ``staged`` brings it to standardised party tables through the product's own steps,
``ours`` and ``splink_peer`` (with ``splink_models``) are the engines, ``engine`` runs one in its own process,
``judged`` judges, ``measured`` and ``report`` bring it together. Nothing here is part of a night.
"""
