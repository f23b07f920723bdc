"""What is to be told to people, seen where it is known: dead letters, backorders, Redis, the order book."""
