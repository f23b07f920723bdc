"""PostgreSQL for those who keep tables there: connections that fail fast, errors in our words, numbered migrations."""
