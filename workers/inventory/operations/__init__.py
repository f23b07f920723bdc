"""The operations of the stock ledger, one folder each: the script, what it is asked, what it answers, and its keys."""
