"""Small screens on I²C and SPI: luma.oled knows chips and buses, a thread writes to them."""
