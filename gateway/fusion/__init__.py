"""Fusion: ordered events in, contacts out. What a silent customer is stands in contacts.py."""

from gateway.fusion.contacts import Contact, Fused, Fusion, PointEvents

__all__ = ["Contact", "Fused", "Fusion", "PointEvents"]
