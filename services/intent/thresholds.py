"""Every number that decides something about a call, in one place, with its reason.

They were chosen on the calls of training/intent/corpus/calls (train and val, never test), replayed with the written
labels; tests/services/intent/test_corpus_calls.py repeats that and fails where a change makes escalation worse.
"""

CONTEXT_WEIGHT = 0.9
"""How far earlier utterances are trusted for what the text leaves open: below 1, so that a carried intent never looks
as sure as a said one."""
CONTEXT_DECAY = 0.7
"""What is left of an earlier utterance's say with every later one; after three it cannot hold alone any more."""
CONTEXT_UTTERANCES = 3
"""How many earlier utterances `Classify` reads: what `CONTEXT_DECAY` leaves of older ones changes no answer."""

EVIDENCE_DECAY = 0.97
"""What is left of the evidence for a main intent with every later request: later requests weigh a little more."""
CARRIED_EVIDENCE = 0.5
"""Weight of a carried intent as evidence: what is said outright weighs twice what is only understood."""
REAL_EVIDENCE = 0.6
"""Evidence from which a banking matter is real: below one clear mention, it is a guess at an unclear utterance."""
MAIN_INTENT_MARGIN = 1.5
"""Evidence by which another intent must lead to become the main one: more than one clear mention, since people open
with what they call for, and side questions of two or three utterances are common."""

VALENCE = {
    "satisfied": 1.0,
    "neutral": 0.0,
    "confused": -0.3,
    "anxious": -0.5,
    "disappointed": -0.6,
    "angry": -1.0,
}
"""How good or bad each emotion feels, on the pleasure axis of Russell's circumplex (1980), rounded."""
MOOD_FAST = 0.5
MOOD_SLOW = 0.2
"""Smoothing of the mood of the moment and of the mood of the call: about the last 3 and the last 9 utterances."""
TREND_AT = 0.1
"""Distance between the two moods from which it is a trend: one clear change of emotion shows, a hint does not."""

ANGRY_INTENSITY = 0.35
"""Intensity from which anger counts: above a hint (0.3)."""
ANGER_RISE = 0.2
"""By how much the anger of the last two utterances must exceed that before to be rising: one step of the scale."""
ANGER_WINDOW = 5
ANGER_HIGH_COUNT = 4
"""Anger stays high when 4 of the last 5 utterances are angry. Three are not enough: many callers arrive furious and are
talked down within three."""

ANNOYED_INTENSITY = 0.4
"""Intensity from which anger or disappointment makes a second request a complaint about the first answer."""
REPEATED_RUNS = 3
REPEATED_RUNS_ANNOYED = 2
"""How often a caller must come to a request, other requests in between, until it is asked again and again."""

HUMAN_SURE = 0.6
"""Probability from which a request for a person is clear."""
TERSE_UNITS = 8
"""Characters or words up to which it is a demand ("转人工") even in the middle of another matter."""

FRAUD_SURE = 0.6
"""Probability of fraud_report that, with distress or a cue, means a fraud in progress. Without either it is a question
about a message or a caller, which any agent can answer."""
FRAUD_WITH_CUE = 0.25
"""Probability that is enough beside a cue: a victim who is told to keep quiet asks for something else."""
FRAUD_CUES = 2
"""Utterances with a cue that are enough beside distress, whatever is asked for: ordinary calls hardly have one."""
DISTRESS_INTENSITY = 0.3
"""Intensity from which anxiety or disappointment counts as distress: in fraud, a hint is enough. Anger does not count:
people call a bank a swindler when they are angry with it."""

CALM_AFTER = 4
"""Utterances in a row without a bad emotion after which a caller has clearly calmed down; a victim of fraud who merely
answers questions sounds calm too, so suspected fraud also needs a sign of relief."""
CALM_AFTER_RELIEF = 2
"""The same where one of them sounds satisfied."""
RELIEF_INTENSITY = 0.3
"""Intensity from which satisfaction is a sign of relief, and of a matter settled."""
