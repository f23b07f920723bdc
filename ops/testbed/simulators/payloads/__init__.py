"""Order objects as each platform writes them: a sale in, the JSON object out. Money and times in its form."""
