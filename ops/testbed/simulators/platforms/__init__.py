"""The platforms' servers: each checks what its platform checks, pages as it pages and refuses in its words."""
