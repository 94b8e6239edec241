"""WHO IS WHO: from the systems' party records to customers.

Here live standardisation (``standardise.py`` and its parts), the profile of contacts, and the resolution of
standardised records into customers with lasting ids. Splink is imported nowhere else. Here does not live the
customer's golden record (``models/customer``), nor anything that writes a file.
"""
