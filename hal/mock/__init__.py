"""Scriptable siblings of every adapter, and the virtual phone's panel."""
