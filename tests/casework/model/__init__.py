"""A deliberately naive second model of the rules of casework, to hold the first one against.

It was written from docs/state-machine.md, not from the code: plain dicts and lists, and no state that is kept
up to date. All it has is the list of facts so far, and each question looks through the whole list again.
It is slow and that is its merit: what it says can be read off beside the page.

`world.replay` takes a history, a list of plain events, and answers what came of each: facts, deliveries,
escalations, receipts. The modules of `questions` answer what is the case after it, each one matter.
"""
