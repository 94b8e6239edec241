"""What a customer is worth and what the bank risks: settings, monthly tables, models of default and of leaving.

Here live the tables of layer ``value`` and the pure functions that fit and apply models. What departments read are the
marts. Who the customer is was decided before: nothing here looks at names or documents.
"""
