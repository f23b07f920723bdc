"""The desk: who may do what, what they did, and every deed itself. Command line, API and pages decide nothing.

`desk.py` is what they hold. Each deed takes an actor first; `deeds.py` is the one place where it is checked and written
down. The tables (`schema/`) are not made from Kafka: they are to be backed up.
"""
