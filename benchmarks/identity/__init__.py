"""How well identity resolution does on sets whose truth is known.

``sets`` writes what is measured, ``staged`` brings it to standardised party tables through the product's own steps,
``ours`` is the engine, ``engine`` runs it in its own process, ``judged`` judges. Nothing here is part of a night.
"""
