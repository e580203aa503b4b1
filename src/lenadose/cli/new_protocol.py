"""The beginning of a protocol file: a name, a base, and examples of what may differ."""

import re
from pathlib import Path

from lenadose.protocol.builtin import BUILT_IN
from lenadose.protocol.protocol import Protocol
from lenadose.terms.validation import NAME

_TEMPLATE = """\
# What this file does not say is as in the protocol that it is based on.
# All that can be said: lenadose show {base.id} --as toml
# Then: lenadose verify FILE, and lenadose diff {base.id} FILE

based_on = "{base.id}"
id = "{id}"
version = "0.1"
title = "{id}, based on {base.name}"

# What follows is inactive; take out the "# " in front of the lines that you need.

# Parts of the base to leave out, each by its list and its id:
# without = ["notices.condoms"]

# A number that differs needs a provenance of its own. The tag is stated, label, adapted or
# assumed; the source is listed under [[sources]], or it is "decided here".

# An interval:
# [intervals.review]
# value = {{ weeks = 3 }}
# provenance = {{ tag = "assumed", source = "decided here", words = "seen every three weeks" }}

# A limit, as text so that it is exact:
# [safety.neutrophils.caution_below]
# value = "2.0"
# provenance = {{ tag = "assumed", source = "our meeting", words = "earlier than in the base" }}

# A source, cited above:
# [[sources]]
# id = "our meeting"
# citation = "minutes of the skin clinic, 3 March 2026"
# confidence = "read"

# A row, given whole, takes the place of the row of the same id:
# [[rules]]
# id = "interruption-too-long"
# action = "discontinue"
# [[rules.cases]]
# when.phase = ["interrupted"]
# when.safety = ["acceptable", "caution"]
# when.timing = ["due"]
# provenance = {{ tag = "assumed", source = "decided here", words = "after so long it is ended" }}
"""


def new_protocol(path: Path, base: Protocol) -> str:
    """Return the text of a protocol file that is based on a built-in protocol."""
    id = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-")
    if not re.match(NAME, id) or id in BUILT_IN:
        id = "my-protocol"
    return _TEMPLATE.format(id=id, base=base)
