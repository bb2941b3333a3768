"""Lists made ahead for all users, in Parquet or PostgreSQL, and how they are looked up."""
