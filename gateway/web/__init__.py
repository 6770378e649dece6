"""The local page: the shop's day, live, offline, on the owner's tablet."""
