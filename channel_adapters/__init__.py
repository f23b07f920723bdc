"""Everything platform-specific: one folder a channel, all of one shape. See ADDING_A_CHANNEL.md."""
