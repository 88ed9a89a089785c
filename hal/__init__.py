"""The hardware abstraction layer: keys, hook, screen, lamps and sound as events and ports.

Knows nothing of telephony and imports nothing from `firmware`. The modules directly in this
package are pure; the adapters below it are built only by `hal.boards`.
"""
