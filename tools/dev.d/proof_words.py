"""What the sentences of the proof's programs mean: that an SMS was lost, or doubled, or a secret leaked.

They are the programs' own words: the test of the proof holds each against the source that says it.
"""

import re

# What was acknowledged is not there, wholly or in part; or is said to be delivered and is not.
LOST = re.compile(
    r"\bI[69]: | is gone\b|\b(?:is|are) lost\b|SMS was lost|has lost a record|is in no list|has no journal"
    r"|ends at \d+, but \d+ was acknowledged|lacks what was answered as durable|left and is not stored"
    r"|in the journal, last at \d+, but is not stored|what was between is missing|marks that it gave out"
    r"|: nothing left for it$|delivered and was never submitted|never left, and is \d|not every record of Kafka was applied"
    r"|\d were scheduled, \d+ are there|is \w+, and the SMSC took \d+ of its")
# One SMS is two, or left twice, or was handed to two.
DOUBLED = re.compile(
    r"\bI[78]: |\bG[14]: |\bP[13]: |\bI10: \S+ is \S+ and |was made again|given twice|handed to a second store|left twice|submitted twice|listed twice"
    r"|acknowledged twice as new|second instance of|same idempotency key as another|more than one copy|\d+ SMSes$"
    r"|submitted \d+ times|part was taken \d+ times|took it$|takes again what it was told|nobody was told of it"
    r"|another folder applied what|: nobody asked for it$")
LEAKED = re.compile(r"\b(?:I17|G8): |\((?:raw|hex|HEX|UTF-16[LB]E|backwards|base64 \d)\) in ")
# How the line of a finding begins, or the one that repeats it.
FOUND = re.compile(r"(?m)^BROKEN|again: +tools/dev |^seed \d+, step \d+: ")
BESIDE = (" ", "|", "+", "-", "?")  # how lines begin that tell a life, a table, or a difference


def found(said):
    return FOUND.search(said) is not None


# Of all that a program said, the sentences that speak of it.
def sentences(said, kind):
    return {line for line in said.splitlines() if not line.startswith(BESIDE) and kind.search(line)}


def verdict(findings):
    """How many sentences of these (part, command, said) speak of each: lost, doubled, leaked."""
    counts = {"lost": 0, "doubled": 0, "leaked": 0}
    for part, _, said in findings:
        if not part.startswith(("bad input", "secrets")):  # their rows have words of their own
            counts["lost"] += len(sentences(said, LOST))
            counts["doubled"] += len(sentences(said, DOUBLED))
        counts["leaked"] += len(sentences(said, LEAKED))
    return counts
