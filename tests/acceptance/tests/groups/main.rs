//! Conversations that can be run: roles, members, invites, preferences, and who sees what.
