"""What the sentences of the proof's programs mean: that an SMS was lost, or doubled, or a secret leaked."""

import re

LOST = re.compile(r"is lost|lacks|missing|no journal|below|nobody was told|has lost|never ends")
DOUBLED = re.compile(r"twice|second instance|more than one copy|copies of|doubled")
LEAKED = re.compile(r"\((raw|hex|HEX|UTF-16..|backwards|base64 \d)\) in|I17|payload in a row")
# How the line of a finding begins, or the one that repeats it.
FOUND = re.compile(r"(?m)^BROKEN|(?:again|repeat): +tools/dev |^seed \d+, step \d+: ")


def found(said):
    return FOUND.search(said) is not None
