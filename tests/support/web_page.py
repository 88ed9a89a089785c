"""What a test asks of a page in a real browser."""

import asyncio

MICROPHONE_TONE = 900.0
"""Hz; what the fake microphone hears."""

LIT = """() => {
    const glass = document.getElementById("screen");
    const { data } = glass.getContext("2d").getImageData(0, 0, glass.width, glass.height);
    let lit = 0;
    for (let at = 3; at < data.length; at += 4) lit += data[at] > 200;
    return lit;
}"""
"""How many dots of the painted screen are lit."""

HEARD = """() => {
    const { analyser, context } = window.deskphone.sound;
    if (!analyser) return { hz: 0, level: -200 };
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const top = bins.reduce((best, level, at) => (level > bins[best] ? at : best), 0);
    return { hz: (top * context.sampleRate) / analyser.fftSize, level: bins[top] };
}"""
"""The loudest frequency in the page's ear (Hz) and its level (dB)."""


async def until(page, expression, holds=bool, seconds=20.0):
    """The value of an expression in the page once `holds` says so.

    The browser's own way of waiting evaluates strings, which our policy forbids.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while True:
        value = await page.evaluate(expression)
        if holds(value):
            return value
        assert loop.time() < deadline, f"waited {seconds} s in vain for {expression}: {value!r}"
        await asyncio.sleep(0.02)


async def says(page, place, words, seconds=20.0):
    """Wait until a place says words; an empty string = says nothing."""
    expression = f"document.querySelector({place!r}).textContent.trim()"
    return await until(
        page, expression, lambda said: words in said if words else said == "", seconds
    )
