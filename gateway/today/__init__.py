"""The business day, for the page."""

from gateway.today.machines import Follower, quarantine
from gateway.today.tree import Today, today

__all__ = ["Follower", "Today", "quarantine", "today"]
