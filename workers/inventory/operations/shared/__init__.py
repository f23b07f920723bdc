"""What several operations have in common: Lua that scripts include, the spelling of keys, the parsing of replies."""
