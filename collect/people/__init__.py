"""Campaigns, consent, invites, voices and admins: who may do what."""
