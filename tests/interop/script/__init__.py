"""The common day: for engines whose programs do what they are told, see client.py."""
