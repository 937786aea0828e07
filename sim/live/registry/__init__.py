"""The registry on a SQL database."""
