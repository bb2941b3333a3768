"""How results are shown as text, tables and markup."""
