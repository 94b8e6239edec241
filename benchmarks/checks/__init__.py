"""What the checks of a night cost, beside the night."""
