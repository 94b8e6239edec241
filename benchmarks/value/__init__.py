"""How long the tables of value take at a size that nobody generates: a real small night, many times over."""
