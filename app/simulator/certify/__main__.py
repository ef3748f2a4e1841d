"""`python -m app.simulator.certify`: the same by itself, for who has no platform of ours."""

from app.simulator.certify.command import certify_partner

if __name__ == "__main__":
    certify_partner()
