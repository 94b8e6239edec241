"""How much of what can be known of leaving the churn model finds: against the true chances of the sample bank."""
