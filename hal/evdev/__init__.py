"""USB handsets and keypads: whatever the kernel shows as an input device."""
