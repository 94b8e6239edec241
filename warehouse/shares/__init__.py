"""The departments' shares: one DuckDB file for each, written from the published release by the policy of shares.yaml.

``settings`` says what a policy is, ``policy`` checks it against the table definitions, ``treatments`` are what a value
becomes, ``keys`` the secrets, ``build`` writes a file, ``leak_scan`` reads it back for what nobody granted,
``contract`` describes it, ``store`` keeps the versions. When shares are made is the pipelines' matter.
"""
