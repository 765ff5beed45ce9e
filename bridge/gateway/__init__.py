"""Calls the CC-Gateway: its wire, its sessions, its events. Nothing is decided here."""
