"""What holds for every test here."""

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is. What must be fast is measured in
# processor time, by tests made for it (P3).
settings.register_profile("deskphone", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("deskphone")
