"""What a registrar grants, and what a line that it granted something to does then."""

from firmware.sip.notifications import CallRef, RegistrationChanged


def granting(pbx, *rows, **params):
    """A 200 that repeats our Contact with these parameters and has these headers."""

    def verdict(request):
        contact = request.headers.get("Contact")
        more = "".join(f";{name.replace('_', '-')}={value}" for name, value in params.items())
        contact = f"{contact};expires={pbx.grants}{more}"
        return pbx.verdict(request, 202, ("Contact", contact), *rows)

    def verdict_200(request):
        response = verdict(request)
        response.status = 200
        return response

    return verdict_200


def outbound(pbx, *rows, **params):
    return granting(pbx, ("Require", "outbound"), ("Supported", "path, outbound"), *rows, **params)


def state(desk):
    return desk.last(RegistrationChanged).state


def invite(world, desk, sip, target="600"):
    """The INVITE of a call, as it leaves."""
    call = CallRef(f"out{len(world.log)}")
    desk.agent.invite(call, sip.LINE, target, world.now)
    world.run(0.01)
    desk.agent.offer(call, sip.OFFER, world.now)
    world.run(0.1)
