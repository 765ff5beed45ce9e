"""A Rasa custom action server that puts a bot beside the human agents of a contact centre."""
