from hal.lamp_group import LampGroup
from hal.mock.panel import Lamps
from hal.ports import LampPattern


def test_a_lamp_shines_wherever_it_is():
    pins, panel = Lamps(["message", "mute"]), Lamps(["mute", "line_1"])
    group = LampGroup(pins, panel)
    assert group.names == ("message", "mute", "line_1")
    group.set("mute", LampPattern.ON)
    group.set("line_1", LampPattern.FAST_BLINK)
    group.set("disco", LampPattern.ON)
    assert pins.patterns["mute"] is panel.patterns["mute"] is LampPattern.ON
    assert panel.patterns["line_1"] is LampPattern.FAST_BLINK
    group.close()
    assert {*pins.patterns.values(), *panel.patterns.values()} == {LampPattern.OFF}
