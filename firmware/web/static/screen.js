// Paints the phone's picture on the glass: every lit pixel a small lamp of its own, with its glow.

const CELL = 6;
const LAMP = 5.2;

export class Screen {
  constructor(canvas) {
    this.canvas = canvas;
    this.pixels = document.createElement("canvas");
    this.latest = 0;
  }

  // `png` is base64, as it comes over the wire.
  async show(png) {
    this.latest += 1;
    const turn = this.latest;
    const bytes = Uint8Array.from(atob(png), (character) => character.charCodeAt(0));
    const picture = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    if (turn === this.latest) this.paint(picture);
  }

  paint(picture) {
    const { width, height } = picture;
    Object.assign(this.pixels, { width, height });
    const source = this.pixels.getContext("2d", { willReadFrequently: true });
    source.drawImage(picture, 0, 0);
    const { data } = source.getImageData(0, 0, width, height);
    const { canvas } = this;
    if (canvas.width !== width * CELL || canvas.height !== height * CELL) {
      Object.assign(canvas, { width: width * CELL, height: height * CELL });
    }
    const glass = canvas.getContext("2d");
    const style = getComputedStyle(canvas);
    glass.clearRect(0, 0, canvas.width, canvas.height);
    glass.fillStyle = style.getPropertyValue("--lit");
    glass.shadowColor = style.getPropertyValue("--glow");
    glass.beginPath();
    for (let at = 0; at < width * height; at += 1) {
      if (data[4 * at] > 127) {
        glass.rect((at % width) * CELL, Math.floor(at / width) * CELL, LAMP, LAMP);
      }
    }
    // First the glow alone, then the lamps, so that dark letters on a lit bar stay dark.
    glass.shadowBlur = CELL;
    glass.fill();
    glass.shadowBlur = 0;
    glass.shadowColor = "transparent";
    glass.fill();
  }

  blank() {
    this.latest += 1;
    this.canvas.getContext("2d").clearRect(0, 0, this.canvas.width, this.canvas.height);
  }
}
