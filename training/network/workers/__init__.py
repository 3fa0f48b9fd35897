"""One run by several processes, on one machine or many: who is who (`cluster`), one step of all (`step`)."""
