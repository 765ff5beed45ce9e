"""The bot's own actions."""
