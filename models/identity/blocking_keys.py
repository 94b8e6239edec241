"""What nodes may be blocked on: list expressions over ``work.node``, by party type.

A key gives a node any number of values; a node without a value is in no block of a rule that uses the key.
"""

_DOCUMENT = {
    "document": "ids",
    "document_head": "id_heads",
    "document_tail": "id_tails",
    "document_end": "id_ends",
}

KEYS: dict[str, dict[str, str]] = {
    "person": {
        "name": "names",
        "latin": "latins",
        "surname": "[surname]",
        "given_name": "[given_name]",
        "birth_date": "birth_dates",
        "birth_year": "[birth_digits[1:4]]",
        "birth_month_day": "[birth_digits[5:8]]",
        "sex": "[sex]",
        **_DOCUMENT,
        "mobile": "mobiles",
        "email": "emails",
        "region": "address_regions",
        "address": "addresses",
        "token": "tokens",
        "postcode": "postcodes",
        "postal_area": "postal_areas",
        "birth_place": "birth_places",
        "occupation": "occupations",
    },
    "organisation": {
        "name": "names",
        "core": "cores",
        "latin": "latins",
        "legal_form": "[legal_form]",
        "branch": "[coalesce(branch_suffix, '')]",
        **_DOCUMENT,
        "phone": "phones",
        "email": "emails",
        "region": "address_regions",
        "address": "addresses",
    },
}
